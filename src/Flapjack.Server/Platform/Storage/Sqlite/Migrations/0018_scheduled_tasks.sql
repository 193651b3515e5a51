CREATE TABLE "scheduled_tasks" (
    "id" TEXT NOT NULL CONSTRAINT "pk_scheduled_tasks" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "agent_id" TEXT NOT NULL,
    "thread_id" TEXT NULL,
    "title" TEXT NULL,
    "prompt" TEXT NOT NULL,
    "run_at" TEXT NULL,
    "cron_expression" TEXT NULL,
    "every_minutes" INTEGER NULL,
    "timezone" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "next_run_at" TEXT NULL,
    "due_at" TEXT NULL,
    "turn_id" TEXT NULL,
    "last_run_at" TEXT NULL,
    "last_status" TEXT NULL,
    "run_count" INTEGER NOT NULL,
    "failures" INTEGER NOT NULL,
    "created_by" TEXT NOT NULL,
    "user_id" TEXT NULL,
    "created_at" TEXT NOT NULL,
    "updated_at" TEXT NOT NULL
);

CREATE INDEX "ix_scheduled_tasks_agent_id_created_at" ON "scheduled_tasks" ("agent_id", "created_at");
CREATE INDEX "ix_scheduled_tasks_due_at" ON "scheduled_tasks" ("due_at") WHERE due_at IS NOT NULL AND turn_id IS NULL;
CREATE INDEX "ix_scheduled_tasks_turn_id" ON "scheduled_tasks" ("turn_id") WHERE turn_id IS NOT NULL;
