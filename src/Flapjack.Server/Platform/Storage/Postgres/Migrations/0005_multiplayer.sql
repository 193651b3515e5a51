CREATE TABLE agent_configs (
    agent_id uuid NOT NULL,
    name text NOT NULL,
    org_id uuid NOT NULL,
    value text NOT NULL,
    version integer NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_agent_configs PRIMARY KEY (agent_id, name)
);


ALTER TABLE turns ADD COLUMN leg integer NOT NULL DEFAULT 0;
