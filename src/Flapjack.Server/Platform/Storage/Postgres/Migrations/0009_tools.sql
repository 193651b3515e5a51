CREATE TABLE tools (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    url text NOT NULL,
    parameters text NOT NULL,
    timeout_ms integer NOT NULL,
    headers text,
    header_names text NOT NULL,
    secret text,
    retries integer NOT NULL,
    idempotent boolean NOT NULL,
    enabled boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_tools PRIMARY KEY (id)
);

CREATE UNIQUE INDEX ix_tools_org_id_name ON tools (org_id, name);

CREATE TABLE agent_tools (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    tool_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_agent_tools PRIMARY KEY (id)
);

CREATE UNIQUE INDEX ix_agent_tools_agent_id_tool_id ON agent_tools (agent_id, tool_id);
CREATE INDEX ix_agent_tools_tool_id ON agent_tools (tool_id);
