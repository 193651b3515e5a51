CREATE TABLE "plans" (
    "id" TEXT NOT NULL CONSTRAINT "pk_plans" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "thread_id" TEXT NOT NULL,
    "agent_id" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "description" TEXT NULL,
    "status" TEXT NOT NULL,
    "approved_at" TEXT NULL,
    "approved_by" TEXT NULL,
    "version" INTEGER NOT NULL,
    "created_at" TEXT NOT NULL,
    "updated_at" TEXT NOT NULL
);

CREATE INDEX "ix_plans_thread_id_created_at" ON "plans" ("thread_id", "created_at");
CREATE INDEX "ix_plans_org_id_created_at" ON "plans" ("org_id", "created_at");

CREATE TABLE "todos" (
    "id" TEXT NOT NULL CONSTRAINT "pk_todos" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "plan_id" TEXT NOT NULL,
    "parent_id" TEXT NULL,
    "position" INTEGER NOT NULL,
    "content" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "note" TEXT NULL,
    "started_at" TEXT NULL,
    "finished_at" TEXT NULL,
    "created_at" TEXT NOT NULL,
    "updated_at" TEXT NOT NULL
);

CREATE INDEX "ix_todos_plan_id" ON "todos" ("plan_id");

CREATE TABLE "todo_dependencies" (
    "todo_id" TEXT NOT NULL,
    "depends_on_id" TEXT NOT NULL,
    "plan_id" TEXT NOT NULL,
    "org_id" TEXT NOT NULL,
    "created_at" TEXT NOT NULL,
    CONSTRAINT "pk_todo_dependencies" PRIMARY KEY ("todo_id", "depends_on_id")
);

CREATE INDEX "ix_todo_dependencies_plan_id" ON "todo_dependencies" ("plan_id");
