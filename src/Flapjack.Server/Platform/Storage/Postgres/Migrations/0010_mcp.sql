CREATE TABLE mcp_servers (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    name text NOT NULL,
    slug text NOT NULL,
    transport text NOT NULL,
    url text,
    command text,
    args text NOT NULL,
    credentials text,
    credential_kind text NOT NULL,
    allowed_tools text,
    managed_provider text,
    skill_id uuid,
    enabled boolean NOT NULL,
    status text NOT NULL,
    last_error text,
    tools text NOT NULL,
    tools_cached_at timestamp with time zone,
    revision integer NOT NULL,
    oauth_client text,
    oauth_tokens text,
    oauth_scope text,
    oauth_expires_at timestamp with time zone,
    oauth_refreshed_at timestamp with time zone,
    oauth_error text,
    oauth_version integer NOT NULL,
    oauth_lease timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_mcp_servers PRIMARY KEY (id)
);

CREATE UNIQUE INDEX ix_mcp_servers_org_id_slug ON mcp_servers (org_id, slug);

CREATE TABLE mcp_attachments (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    mcp_server_id uuid NOT NULL,
    allowed_tools text,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_mcp_attachments PRIMARY KEY (id)
);

CREATE UNIQUE INDEX ix_mcp_attachments_agent_id_mcp_server_id ON mcp_attachments (agent_id, mcp_server_id);
CREATE INDEX ix_mcp_attachments_mcp_server_id ON mcp_attachments (mcp_server_id);

CREATE TABLE mcp_authorizations (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    mcp_server_id uuid NOT NULL,
    user_id text,
    verifier text NOT NULL,
    client text NOT NULL,
    redirect_after text,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_mcp_authorizations PRIMARY KEY (id)
);

CREATE INDEX ix_mcp_authorizations_expires_at ON mcp_authorizations (expires_at);
CREATE INDEX ix_mcp_authorizations_mcp_server_id ON mcp_authorizations (mcp_server_id);
