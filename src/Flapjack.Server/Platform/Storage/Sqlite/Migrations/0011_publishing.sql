CREATE TABLE "publications" (
    "id" TEXT NOT NULL CONSTRAINT "pk_publications" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "agent_id" TEXT NOT NULL,
    "slug" TEXT NOT NULL,
    "visibility" TEXT NOT NULL,
    "title" TEXT NULL,
    "description" TEXT NULL,
    "welcome_message" TEXT NULL,
    "suggested_prompts" TEXT NOT NULL,
    "allowed_origins" TEXT NULL,
    "allow_attachments" INTEGER NOT NULL,
    "expose_tool_details" INTEGER NOT NULL,
    "is_active" INTEGER NOT NULL,
    "created_at" TEXT NOT NULL,
    "updated_at" TEXT NOT NULL
);

CREATE UNIQUE INDEX "ix_publications_slug" ON "publications" ("slug");
CREATE INDEX "ix_publications_agent_id_created_at" ON "publications" ("agent_id", "created_at");

ALTER TABLE "threads" ADD COLUMN "publication_id" TEXT NULL;
ALTER TABLE "threads" ADD COLUMN "visitor" TEXT NULL;

CREATE TABLE "mcp_sessions" (
    "id" TEXT NOT NULL CONSTRAINT "pk_mcp_sessions" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "agent_id" TEXT NULL,
    "credential_id" TEXT NOT NULL,
    "created_at" TEXT NOT NULL
);

CREATE INDEX "ix_mcp_sessions_created_at" ON "mcp_sessions" ("created_at");
