CREATE TABLE marketplace_profiles (
    agent_id uuid NOT NULL,
    org_id uuid NOT NULL,
    handle text NOT NULL,
    display_name text,
    tagline text,
    description text,
    capabilities text NOT NULL,
    categories text NOT NULL,
    visibility text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_marketplace_profiles PRIMARY KEY (agent_id)
);

CREATE UNIQUE INDEX ix_marketplace_profiles_handle ON marketplace_profiles (handle);

CREATE TABLE marketplace_avatars (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    media_type text NOT NULL,
    sha256 text NOT NULL,
    content bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_marketplace_avatars PRIMARY KEY (id)
);

-- Pictures are compressed already.
ALTER TABLE marketplace_avatars ALTER COLUMN content SET STORAGE EXTERNAL;

CREATE UNIQUE INDEX ix_marketplace_avatars_agent_id ON marketplace_avatars (agent_id);

CREATE TABLE agent_suggestions (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    category text NOT NULL,
    severity text NOT NULL,
    title text NOT NULL,
    detail text,
    patch text,
    dismissed boolean NOT NULL,
    dismissed_at timestamp with time zone,
    source text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_agent_suggestions PRIMARY KEY (id)
);

CREATE INDEX ix_agent_suggestions_agent_id_created_at ON agent_suggestions (agent_id, created_at);
