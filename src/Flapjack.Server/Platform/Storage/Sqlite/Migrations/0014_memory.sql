CREATE TABLE "memories" (
    "id" TEXT NOT NULL CONSTRAINT "pk_memories" PRIMARY KEY,
    "number" INTEGER NOT NULL,
    "org_id" TEXT NOT NULL,
    "agent_id" TEXT NOT NULL,
    "scope" TEXT NOT NULL,
    "scope_id" TEXT NOT NULL,
    "thread_id" TEXT NULL,
    "content" TEXT NOT NULL,
    "fingerprint" INTEGER NOT NULL,
    "source" TEXT NOT NULL,
    "metadata" TEXT NOT NULL,
    "last_used_at" TEXT NULL,
    "touched_at" TEXT NOT NULL,
    "created_at" TEXT NOT NULL
);

CREATE UNIQUE INDEX "ix_memories_number" ON "memories" ("number");
CREATE INDEX "ix_memories_agent_id_touched_at" ON "memories" ("agent_id", "touched_at");
CREATE INDEX "ix_memories_agent_id_number" ON "memories" ("agent_id", "number");
CREATE INDEX "ix_memories_fingerprint" ON "memories" ("fingerprint");
CREATE INDEX "ix_memories_thread_id" ON "memories" ("thread_id") WHERE thread_id IS NOT NULL;

CREATE TABLE "memory_terms" (
    "term" INTEGER NOT NULL,
    "memory_number" INTEGER NOT NULL REFERENCES "memories" ("number") ON DELETE CASCADE,
    CONSTRAINT "pk_memory_terms" PRIMARY KEY ("term", "memory_number")
) WITHOUT ROWID;

CREATE INDEX "ix_memory_terms_memory_number" ON "memory_terms" ("memory_number");

CREATE TABLE "memory_vectors" (
    "memory_number" INTEGER NOT NULL CONSTRAINT "pk_memory_vectors" PRIMARY KEY REFERENCES "memories" ("number") ON DELETE CASCADE,
    "model" TEXT NOT NULL,
    "vector" BLOB NOT NULL
);
