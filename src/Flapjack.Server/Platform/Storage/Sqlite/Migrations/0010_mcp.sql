CREATE TABLE "mcp_servers" (
    "id" TEXT NOT NULL CONSTRAINT "pk_mcp_servers" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "slug" TEXT NOT NULL,
    "transport" TEXT NOT NULL,
    "url" TEXT NULL,
    "command" TEXT NULL,
    "args" TEXT NOT NULL,
    "credentials" TEXT NULL,
    "credential_kind" TEXT NOT NULL,
    "allowed_tools" TEXT NULL,
    "managed_provider" TEXT NULL,
    "skill_id" TEXT NULL,
    "enabled" INTEGER NOT NULL,
    "status" TEXT NOT NULL,
    "last_error" TEXT NULL,
    "tools" TEXT NOT NULL,
    "tools_cached_at" TEXT NULL,
    "revision" INTEGER NOT NULL,
    "oauth_client" TEXT NULL,
    "oauth_tokens" TEXT NULL,
    "oauth_scope" TEXT NULL,
    "oauth_expires_at" TEXT NULL,
    "oauth_refreshed_at" TEXT NULL,
    "oauth_error" TEXT NULL,
    "oauth_version" INTEGER NOT NULL,
    "oauth_lease" TEXT NULL,
    "created_at" TEXT NOT NULL,
    "updated_at" TEXT NOT NULL
);

CREATE UNIQUE INDEX "ix_mcp_servers_org_id_slug" ON "mcp_servers" ("org_id", "slug");

CREATE TABLE "mcp_attachments" (
    "id" TEXT NOT NULL CONSTRAINT "pk_mcp_attachments" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "agent_id" TEXT NOT NULL,
    "mcp_server_id" TEXT NOT NULL,
    "allowed_tools" TEXT NULL,
    "created_at" TEXT NOT NULL
);

CREATE UNIQUE INDEX "ix_mcp_attachments_agent_id_mcp_server_id" ON "mcp_attachments" ("agent_id", "mcp_server_id");
CREATE INDEX "ix_mcp_attachments_mcp_server_id" ON "mcp_attachments" ("mcp_server_id");

CREATE TABLE "mcp_authorizations" (
    "id" TEXT NOT NULL CONSTRAINT "pk_mcp_authorizations" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "mcp_server_id" TEXT NOT NULL,
    "user_id" TEXT NULL,
    "verifier" TEXT NOT NULL,
    "client" TEXT NOT NULL,
    "redirect_after" TEXT NULL,
    "expires_at" TEXT NOT NULL
);

CREATE INDEX "ix_mcp_authorizations_expires_at" ON "mcp_authorizations" ("expires_at");
CREATE INDEX "ix_mcp_authorizations_mcp_server_id" ON "mcp_authorizations" ("mcp_server_id");
