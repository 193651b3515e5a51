CREATE TABLE "marketplace_profiles" (
    "agent_id" TEXT NOT NULL CONSTRAINT "pk_marketplace_profiles" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "handle" TEXT NOT NULL,
    "display_name" TEXT NULL,
    "tagline" TEXT NULL,
    "description" TEXT NULL,
    "capabilities" TEXT NOT NULL,
    "categories" TEXT NOT NULL,
    "visibility" TEXT NOT NULL,
    "created_at" TEXT NOT NULL,
    "updated_at" TEXT NOT NULL
);

CREATE UNIQUE INDEX "ix_marketplace_profiles_handle" ON "marketplace_profiles" ("handle");

CREATE TABLE "marketplace_avatars" (
    "id" TEXT NOT NULL CONSTRAINT "pk_marketplace_avatars" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "agent_id" TEXT NOT NULL,
    "media_type" TEXT NOT NULL,
    "sha256" TEXT NOT NULL,
    "content" BLOB NOT NULL,
    "created_at" TEXT NOT NULL
);

CREATE UNIQUE INDEX "ix_marketplace_avatars_agent_id" ON "marketplace_avatars" ("agent_id");

CREATE TABLE "agent_suggestions" (
    "id" TEXT NOT NULL CONSTRAINT "pk_agent_suggestions" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "agent_id" TEXT NOT NULL,
    "category" TEXT NOT NULL,
    "severity" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "detail" TEXT NULL,
    "patch" TEXT NULL,
    "dismissed" INTEGER NOT NULL,
    "dismissed_at" TEXT NULL,
    "source" TEXT NOT NULL,
    "created_at" TEXT NOT NULL
);

CREATE INDEX "ix_agent_suggestions_agent_id_created_at" ON "agent_suggestions" ("agent_id", "created_at");
