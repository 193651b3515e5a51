CREATE TABLE "tools" (
    "id" TEXT NOT NULL CONSTRAINT "pk_tools" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "parameters" TEXT NOT NULL,
    "timeout_ms" INTEGER NOT NULL,
    "headers" TEXT NULL,
    "header_names" TEXT NOT NULL,
    "secret" TEXT NULL,
    "retries" INTEGER NOT NULL,
    "idempotent" INTEGER NOT NULL,
    "enabled" INTEGER NOT NULL,
    "created_at" TEXT NOT NULL,
    "updated_at" TEXT NOT NULL
);

CREATE UNIQUE INDEX "ix_tools_org_id_name" ON "tools" ("org_id", "name");

CREATE TABLE "agent_tools" (
    "id" TEXT NOT NULL CONSTRAINT "pk_agent_tools" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "agent_id" TEXT NOT NULL,
    "tool_id" TEXT NOT NULL,
    "created_at" TEXT NOT NULL
);

CREATE UNIQUE INDEX "ix_agent_tools_agent_id_tool_id" ON "agent_tools" ("agent_id", "tool_id");
CREATE INDEX "ix_agent_tools_tool_id" ON "agent_tools" ("tool_id");
