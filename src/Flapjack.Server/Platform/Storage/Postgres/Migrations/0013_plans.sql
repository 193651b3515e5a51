CREATE TABLE plans (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    thread_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    title text NOT NULL,
    description text,
    status text NOT NULL,
    approved_at timestamp with time zone,
    approved_by text,
    version integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_plans PRIMARY KEY (id)
);

CREATE INDEX ix_plans_thread_id_created_at ON plans (thread_id, created_at);
CREATE INDEX ix_plans_org_id_created_at ON plans (org_id, created_at);

CREATE TABLE todos (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    plan_id uuid NOT NULL,
    parent_id uuid,
    position integer NOT NULL,
    content text NOT NULL,
    status text NOT NULL,
    note text,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_todos PRIMARY KEY (id)
);

CREATE INDEX ix_todos_plan_id ON todos (plan_id);

CREATE TABLE todo_dependencies (
    todo_id uuid NOT NULL,
    depends_on_id uuid NOT NULL,
    plan_id uuid NOT NULL,
    org_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_todo_dependencies PRIMARY KEY (todo_id, depends_on_id)
);

CREATE INDEX ix_todo_dependencies_plan_id ON todo_dependencies (plan_id);
