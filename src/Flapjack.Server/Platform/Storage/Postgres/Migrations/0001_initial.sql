CREATE TABLE agents (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    name text NOT NULL,
    description text,
    stable_preamble text,
    default_model text NOT NULL,
    temperature double precision,
    tool_profiles text,
    default_profile text,
    scheduled_tasks_enabled boolean NOT NULL,
    runtime_provider text,
    project_id uuid,
    max_tool_calls integer NOT NULL,
    max_output_tokens integer,
    metadata text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT pk_agents PRIMARY KEY (id)
);


CREATE TABLE api_keys (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    name text NOT NULL,
    prefix text NOT NULL,
    hash text NOT NULL,
    scopes text,
    created_by uuid,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone,
    CONSTRAINT pk_api_keys PRIMARY KEY (id)
);


CREATE TABLE idempotency_records (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    scope text NOT NULL,
    body_hash text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    status integer,
    content_type text,
    body bytea,
    turn_id uuid,
    CONSTRAINT pk_idempotency_records PRIMARY KEY (id)
);


CREATE TABLE log_evaluations (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    trace_id uuid NOT NULL,
    span_id uuid NOT NULL,
    source text NOT NULL,
    name text NOT NULL,
    score double precision,
    label text,
    comment text,
    created_by uuid,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_log_evaluations PRIMARY KEY (id)
);


CREATE TABLE log_spans (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    trace_id uuid NOT NULL,
    parent_span_id uuid,
    kind text NOT NULL,
    name text NOT NULL,
    status text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    input text,
    output text,
    error text,
    attributes text NOT NULL,
    provider text,
    model text,
    temperature double precision,
    max_tokens integer,
    input_tokens bigint,
    output_tokens bigint,
    cached_input_tokens bigint,
    cost_usd double precision,
    credential_source text,
    CONSTRAINT pk_log_spans PRIMARY KEY (id)
);


CREATE TABLE log_traces (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    agent_id uuid,
    runner_id uuid,
    thread_id uuid,
    run_id uuid,
    session_id text NOT NULL,
    user_id text,
    name text NOT NULL,
    status text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cost_usd double precision NOT NULL,
    tags text NOT NULL,
    metadata text NOT NULL,
    span_count integer NOT NULL,
    error_count integer NOT NULL,
    llm_call_count integer NOT NULL,
    tool_call_count integer NOT NULL,
    CONSTRAINT pk_log_traces PRIMARY KEY (id)
);


CREATE TABLE login_links (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    token_hash text NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT pk_login_links PRIMARY KEY (id)
);


CREATE TABLE memberships (
    org_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_memberships PRIMARY KEY (org_id, user_id)
);


CREATE TABLE messages (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    thread_id uuid NOT NULL,
    seq bigint NOT NULL,
    turn_id uuid,
    role text NOT NULL,
    content text NOT NULL,
    tail_start integer NOT NULL,
    tool_calls text,
    reasoning text,
    tool_call_id text,
    tool_name text,
    complete boolean NOT NULL,
    is_error boolean NOT NULL,
    sender_name text,
    sender_id text,
    stopped boolean NOT NULL,
    error text,
    model text,
    input_tokens bigint,
    output_tokens bigint,
    cache_read_tokens bigint,
    cache_write_tokens bigint,
    cost_usd double precision,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_messages PRIMARY KEY (id)
);


CREATE TABLE organisations (
    id uuid NOT NULL,
    name text NOT NULL,
    slug text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    signing_secret text,
    signing_secret_rotated_at timestamp with time zone,
    CONSTRAINT pk_organisations PRIMARY KEY (id)
);


CREATE TABLE participants (
    thread_id uuid NOT NULL,
    user_id text NOT NULL,
    org_id uuid NOT NULL,
    display_name text,
    role text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_participants PRIMARY KEY (thread_id, user_id)
);


CREATE TABLE providers (
    org_id uuid NOT NULL,
    provider text NOT NULL,
    kind text NOT NULL,
    api_key text,
    base_url text,
    headers text,
    models text NOT NULL,
    enabled boolean NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_providers PRIMARY KEY (org_id, provider)
);


CREATE TABLE sessions (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    refresh_hash text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    CONSTRAINT pk_sessions PRIMARY KEY (id)
);


CREATE TABLE signing_keys (
    id uuid NOT NULL,
    private_key text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_signing_keys PRIMARY KEY (id)
);


CREATE TABLE threads (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    title text,
    kind text NOT NULL,
    status text NOT NULL,
    active_profile text,
    system_prompt_overlay text,
    resource_bindings text NOT NULL,
    user_id text,
    active_turn_id uuid,
    pending_turn_id uuid,
    pending_expires_at timestamp with time zone,
    parent_thread_id uuid,
    forked_from_message_id uuid,
    metadata text NOT NULL,
    hidden boolean NOT NULL,
    last_seq bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_threads PRIMARY KEY (id)
);


CREATE TABLE turns (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    thread_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    status text NOT NULL,
    node text NOT NULL,
    lease_until timestamp with time zone NOT NULL,
    user_message_id uuid,
    request text NOT NULL,
    progress text,
    finish_reason text,
    error text,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT pk_turns PRIMARY KEY (id)
);


CREATE TABLE users (
    id uuid NOT NULL,
    email text NOT NULL,
    name text,
    password_hash text,
    default_org_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone,
    CONSTRAINT pk_users PRIMARY KEY (id)
);


CREATE INDEX ix_agents_org_id_created_at ON agents (org_id, created_at);


CREATE UNIQUE INDEX ix_api_keys_hash ON api_keys (hash);


CREATE INDEX ix_api_keys_org_id_created_at ON api_keys (org_id, created_at);


CREATE INDEX ix_idempotency_records_created_at ON idempotency_records (created_at);


CREATE UNIQUE INDEX ix_idempotency_records_scope ON idempotency_records (scope);


CREATE INDEX ix_log_evaluations_trace_id ON log_evaluations (trace_id);


CREATE INDEX ix_log_spans_trace_id ON log_spans (trace_id);


CREATE INDEX ix_log_traces_org_id_started_at ON log_traces (org_id, started_at);


CREATE INDEX ix_log_traces_thread_id_started_at ON log_traces (thread_id, started_at);


CREATE UNIQUE INDEX ix_login_links_token_hash ON login_links (token_hash);


CREATE INDEX ix_memberships_user_id ON memberships (user_id);


CREATE UNIQUE INDEX ix_messages_thread_id_seq ON messages (thread_id, seq);


CREATE UNIQUE INDEX ix_organisations_slug ON organisations (slug);


CREATE INDEX ix_sessions_expires_at ON sessions (expires_at);


CREATE INDEX ix_sessions_user_id ON sessions (user_id);


CREATE UNIQUE INDEX ix_threads_agent_id_created_at ON threads (agent_id, created_at);


CREATE INDEX ix_turns_lease_until ON turns (lease_until) WHERE status = 'running';


CREATE INDEX ix_turns_thread_id ON turns (thread_id);


CREATE UNIQUE INDEX ix_users_email ON users (email);
