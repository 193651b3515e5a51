CREATE TABLE integrations (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    connection text NOT NULL,
    host text NOT NULL,
    database text NOT NULL,
    schemas text NOT NULL,
    status text NOT NULL,
    last_error text,
    warnings text NOT NULL,
    tables text NOT NULL,
    table_count integer NOT NULL,
    introspected_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_integrations PRIMARY KEY (id)
);

CREATE INDEX ix_integrations_org_id_created_at ON integrations (org_id, created_at);

CREATE TABLE agent_integrations (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    integration_id uuid NOT NULL,
    allowed_tables text,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_agent_integrations PRIMARY KEY (id)
);

CREATE UNIQUE INDEX ix_agent_integrations_agent_id_integration_id ON agent_integrations (agent_id, integration_id);
CREATE INDEX ix_agent_integrations_integration_id ON agent_integrations (integration_id);
