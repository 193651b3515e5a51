CREATE TABLE publications (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    slug text NOT NULL,
    visibility text NOT NULL,
    title text,
    description text,
    welcome_message text,
    suggested_prompts text NOT NULL,
    allowed_origins text,
    allow_attachments boolean NOT NULL,
    expose_tool_details boolean NOT NULL,
    is_active boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_publications PRIMARY KEY (id)
);

CREATE UNIQUE INDEX ix_publications_slug ON publications (slug);
CREATE INDEX ix_publications_agent_id_created_at ON publications (agent_id, created_at);

ALTER TABLE threads ADD COLUMN publication_id uuid;
ALTER TABLE threads ADD COLUMN visitor text;

CREATE TABLE mcp_sessions (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    agent_id uuid,
    credential_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_mcp_sessions PRIMARY KEY (id)
);

CREATE INDEX ix_mcp_sessions_created_at ON mcp_sessions (created_at);
