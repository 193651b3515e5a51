CREATE TABLE "compactions" (
    "thread_id" TEXT NOT NULL,
    "agent_id" TEXT NOT NULL,
    "seq" INTEGER NOT NULL,
    "org_id" TEXT NOT NULL,
    "through_seq" INTEGER NOT NULL,
    "summary" TEXT NULL,
    "before_tokens" INTEGER NOT NULL,
    "after_tokens" INTEGER NOT NULL,
    "turn_id" TEXT NOT NULL,
    "created_at" TEXT NOT NULL,
    CONSTRAINT "pk_compactions" PRIMARY KEY ("thread_id", "agent_id", "seq")
);


ALTER TABLE "threads" ADD COLUMN "compacted_seq" INTEGER NOT NULL DEFAULT 0;

CREATE INDEX "ix_threads_parent_thread_id" ON "threads" ("parent_thread_id") WHERE hidden;
