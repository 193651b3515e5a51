CREATE TABLE "agents" (
    "id" TEXT NOT NULL CONSTRAINT "pk_agents" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NULL,
    "stable_preamble" TEXT NULL,
    "default_model" TEXT NOT NULL,
    "temperature" REAL NULL,
    "tool_profiles" TEXT NULL,
    "default_profile" TEXT NULL,
    "scheduled_tasks_enabled" INTEGER NOT NULL,
    "runtime_provider" TEXT NULL,
    "project_id" TEXT NULL,
    "max_tool_calls" INTEGER NOT NULL,
    "max_output_tokens" INTEGER NULL,
    "metadata" TEXT NOT NULL,
    "created_at" TEXT NOT NULL,
    "updated_at" TEXT NOT NULL,
    "deleted_at" TEXT NULL
);


CREATE TABLE "api_keys" (
    "id" TEXT NOT NULL CONSTRAINT "pk_api_keys" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "prefix" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "scopes" TEXT NULL,
    "created_by" TEXT NULL,
    "created_at" TEXT NOT NULL,
    "expires_at" TEXT NULL,
    "last_used_at" TEXT NULL,
    "revoked_at" TEXT NULL
);


CREATE TABLE "idempotency_records" (
    "id" TEXT NOT NULL CONSTRAINT "pk_idempotency_records" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "scope" TEXT NOT NULL,
    "body_hash" TEXT NOT NULL,
    "created_at" TEXT NOT NULL,
    "status" INTEGER NULL,
    "content_type" TEXT NULL,
    "body" BLOB NULL,
    "turn_id" TEXT NULL
);


CREATE TABLE "log_evaluations" (
    "id" TEXT NOT NULL CONSTRAINT "pk_log_evaluations" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "trace_id" TEXT NOT NULL,
    "span_id" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "score" REAL NULL,
    "label" TEXT NULL,
    "comment" TEXT NULL,
    "created_by" TEXT NULL,
    "created_at" TEXT NOT NULL
);


CREATE TABLE "log_spans" (
    "id" TEXT NOT NULL CONSTRAINT "pk_log_spans" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "trace_id" TEXT NOT NULL,
    "parent_span_id" TEXT NULL,
    "kind" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "started_at" TEXT NOT NULL,
    "ended_at" TEXT NULL,
    "input" TEXT NULL,
    "output" TEXT NULL,
    "error" TEXT NULL,
    "attributes" TEXT NOT NULL,
    "provider" TEXT NULL,
    "model" TEXT NULL,
    "temperature" REAL NULL,
    "max_tokens" INTEGER NULL,
    "input_tokens" INTEGER NULL,
    "output_tokens" INTEGER NULL,
    "cached_input_tokens" INTEGER NULL,
    "cost_usd" REAL NULL,
    "credential_source" TEXT NULL
);


CREATE TABLE "log_traces" (
    "id" TEXT NOT NULL CONSTRAINT "pk_log_traces" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "agent_id" TEXT NULL,
    "runner_id" TEXT NULL,
    "thread_id" TEXT NULL,
    "run_id" TEXT NULL,
    "session_id" TEXT NOT NULL,
    "user_id" TEXT NULL,
    "name" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "started_at" TEXT NOT NULL,
    "ended_at" TEXT NULL,
    "input_tokens" INTEGER NOT NULL,
    "output_tokens" INTEGER NOT NULL,
    "cost_usd" REAL NOT NULL,
    "tags" TEXT NOT NULL,
    "metadata" TEXT NOT NULL,
    "span_count" INTEGER NOT NULL,
    "error_count" INTEGER NOT NULL,
    "llm_call_count" INTEGER NOT NULL,
    "tool_call_count" INTEGER NOT NULL
);


CREATE TABLE "login_links" (
    "id" TEXT NOT NULL CONSTRAINT "pk_login_links" PRIMARY KEY,
    "user_id" TEXT NOT NULL,
    "token_hash" TEXT NOT NULL,
    "expires_at" TEXT NOT NULL,
    "used_at" TEXT NULL
);


CREATE TABLE "memberships" (
    "org_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "created_at" TEXT NOT NULL,
    CONSTRAINT "pk_memberships" PRIMARY KEY ("org_id", "user_id")
);


CREATE TABLE "messages" (
    "id" TEXT NOT NULL CONSTRAINT "pk_messages" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "thread_id" TEXT NOT NULL,
    "seq" INTEGER NOT NULL,
    "turn_id" TEXT NULL,
    "role" TEXT NOT NULL,
    "content" TEXT NOT NULL,
    "tail_start" INTEGER NOT NULL,
    "tool_calls" TEXT NULL,
    "reasoning" TEXT NULL,
    "tool_call_id" TEXT NULL,
    "tool_name" TEXT NULL,
    "complete" INTEGER NOT NULL,
    "is_error" INTEGER NOT NULL,
    "sender_name" TEXT NULL,
    "sender_id" TEXT NULL,
    "stopped" INTEGER NOT NULL,
    "error" TEXT NULL,
    "model" TEXT NULL,
    "input_tokens" INTEGER NULL,
    "output_tokens" INTEGER NULL,
    "cache_read_tokens" INTEGER NULL,
    "cache_write_tokens" INTEGER NULL,
    "cost_usd" REAL NULL,
    "created_at" TEXT NOT NULL
);


CREATE TABLE "organisations" (
    "id" TEXT NOT NULL CONSTRAINT "pk_organisations" PRIMARY KEY,
    "name" TEXT NOT NULL,
    "slug" TEXT NOT NULL,
    "created_at" TEXT NOT NULL,
    "signing_secret" TEXT NULL,
    "signing_secret_rotated_at" TEXT NULL
);


CREATE TABLE "participants" (
    "thread_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "org_id" TEXT NOT NULL,
    "display_name" TEXT NULL,
    "role" TEXT NOT NULL,
    "created_at" TEXT NOT NULL,
    CONSTRAINT "pk_participants" PRIMARY KEY ("thread_id", "user_id")
);


CREATE TABLE "providers" (
    "org_id" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "api_key" TEXT NULL,
    "base_url" TEXT NULL,
    "headers" TEXT NULL,
    "models" TEXT NOT NULL,
    "enabled" INTEGER NOT NULL,
    "updated_at" TEXT NOT NULL,
    CONSTRAINT "pk_providers" PRIMARY KEY ("org_id", "provider")
);


CREATE TABLE "sessions" (
    "id" TEXT NOT NULL CONSTRAINT "pk_sessions" PRIMARY KEY,
    "user_id" TEXT NOT NULL,
    "refresh_hash" TEXT NOT NULL,
    "created_at" TEXT NOT NULL,
    "expires_at" TEXT NOT NULL,
    "revoked_at" TEXT NULL
);


CREATE TABLE "signing_keys" (
    "id" TEXT NOT NULL CONSTRAINT "pk_signing_keys" PRIMARY KEY,
    "private_key" TEXT NOT NULL,
    "created_at" TEXT NOT NULL
);


CREATE TABLE "threads" (
    "id" TEXT NOT NULL CONSTRAINT "pk_threads" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "agent_id" TEXT NOT NULL,
    "title" TEXT NULL,
    "kind" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "active_profile" TEXT NULL,
    "system_prompt_overlay" TEXT NULL,
    "resource_bindings" TEXT NOT NULL,
    "user_id" TEXT NULL,
    "active_turn_id" TEXT NULL,
    "pending_turn_id" TEXT NULL,
    "pending_expires_at" TEXT NULL,
    "parent_thread_id" TEXT NULL,
    "forked_from_message_id" TEXT NULL,
    "metadata" TEXT NOT NULL,
    "hidden" INTEGER NOT NULL,
    "last_seq" INTEGER NOT NULL,
    "created_at" TEXT NOT NULL,
    "updated_at" TEXT NOT NULL
);


CREATE TABLE "turns" (
    "id" TEXT NOT NULL CONSTRAINT "pk_turns" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "thread_id" TEXT NOT NULL,
    "agent_id" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "node" TEXT NOT NULL,
    "lease_until" TEXT NOT NULL,
    "user_message_id" TEXT NULL,
    "request" TEXT NOT NULL,
    "progress" TEXT NULL,
    "finish_reason" TEXT NULL,
    "error" TEXT NULL,
    "started_at" TEXT NOT NULL,
    "ended_at" TEXT NULL
);


CREATE TABLE "users" (
    "id" TEXT NOT NULL CONSTRAINT "pk_users" PRIMARY KEY,
    "email" TEXT NOT NULL,
    "name" TEXT NULL,
    "password_hash" TEXT NULL,
    "default_org_id" TEXT NOT NULL,
    "created_at" TEXT NOT NULL,
    "last_seen_at" TEXT NULL
);


CREATE INDEX "ix_agents_org_id_created_at" ON "agents" ("org_id", "created_at");


CREATE UNIQUE INDEX "ix_api_keys_hash" ON "api_keys" ("hash");


CREATE INDEX "ix_api_keys_org_id_created_at" ON "api_keys" ("org_id", "created_at");


CREATE INDEX "ix_idempotency_records_created_at" ON "idempotency_records" ("created_at");


CREATE UNIQUE INDEX "ix_idempotency_records_scope" ON "idempotency_records" ("scope");


CREATE INDEX "ix_log_evaluations_trace_id" ON "log_evaluations" ("trace_id");


CREATE INDEX "ix_log_spans_trace_id" ON "log_spans" ("trace_id");


CREATE INDEX "ix_log_traces_org_id_started_at" ON "log_traces" ("org_id", "started_at");


CREATE INDEX "ix_log_traces_thread_id_started_at" ON "log_traces" ("thread_id", "started_at");


CREATE UNIQUE INDEX "ix_login_links_token_hash" ON "login_links" ("token_hash");


CREATE INDEX "ix_memberships_user_id" ON "memberships" ("user_id");


CREATE UNIQUE INDEX "ix_messages_thread_id_seq" ON "messages" ("thread_id", "seq");


CREATE UNIQUE INDEX "ix_organisations_slug" ON "organisations" ("slug");


CREATE INDEX "ix_sessions_expires_at" ON "sessions" ("expires_at");


CREATE INDEX "ix_sessions_user_id" ON "sessions" ("user_id");


CREATE UNIQUE INDEX "ix_threads_agent_id_created_at" ON "threads" ("agent_id", "created_at");


CREATE INDEX "ix_turns_lease_until" ON "turns" ("lease_until") WHERE status = 'running';


CREATE INDEX "ix_turns_thread_id" ON "turns" ("thread_id");


CREATE UNIQUE INDEX "ix_users_email" ON "users" ("email");
