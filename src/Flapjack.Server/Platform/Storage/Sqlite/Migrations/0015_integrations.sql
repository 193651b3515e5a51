CREATE TABLE "integrations" (
    "id" TEXT NOT NULL CONSTRAINT "pk_integrations" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "connection" TEXT NOT NULL,
    "host" TEXT NOT NULL,
    "database" TEXT NOT NULL,
    "schemas" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "last_error" TEXT NULL,
    "warnings" TEXT NOT NULL,
    "tables" TEXT NOT NULL,
    "table_count" INTEGER NOT NULL,
    "introspected_at" TEXT NULL,
    "created_at" TEXT NOT NULL,
    "updated_at" TEXT NOT NULL
);

CREATE INDEX "ix_integrations_org_id_created_at" ON "integrations" ("org_id", "created_at");

CREATE TABLE "agent_integrations" (
    "id" TEXT NOT NULL CONSTRAINT "pk_agent_integrations" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "agent_id" TEXT NOT NULL,
    "integration_id" TEXT NOT NULL,
    "allowed_tables" TEXT NULL,
    "created_at" TEXT NOT NULL
);

CREATE UNIQUE INDEX "ix_agent_integrations_agent_id_integration_id" ON "agent_integrations" ("agent_id", "integration_id");
CREATE INDEX "ix_agent_integrations_integration_id" ON "agent_integrations" ("integration_id");
