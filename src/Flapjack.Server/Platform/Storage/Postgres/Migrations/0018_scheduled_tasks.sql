CREATE TABLE scheduled_tasks (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    thread_id uuid,
    title text,
    prompt text NOT NULL,
    run_at timestamp with time zone,
    cron_expression text,
    every_minutes integer,
    timezone text NOT NULL,
    status text NOT NULL,
    next_run_at timestamp with time zone,
    due_at timestamp with time zone,
    turn_id uuid,
    last_run_at timestamp with time zone,
    last_status text,
    run_count integer NOT NULL,
    failures integer NOT NULL,
    created_by text NOT NULL,
    user_id text,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_scheduled_tasks PRIMARY KEY (id)
);

CREATE INDEX ix_scheduled_tasks_agent_id_created_at ON scheduled_tasks (agent_id, created_at);
CREATE INDEX ix_scheduled_tasks_due_at ON scheduled_tasks (due_at) WHERE due_at IS NOT NULL AND turn_id IS NULL;
CREATE INDEX ix_scheduled_tasks_turn_id ON scheduled_tasks (turn_id) WHERE turn_id IS NOT NULL;
