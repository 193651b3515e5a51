ALTER TABLE "threads" ADD COLUMN "expires_at" TEXT;

CREATE INDEX "ix_threads_expires_at" ON "threads" ("expires_at") WHERE expires_at IS NOT NULL;

ALTER TABLE "agents" ADD COLUMN "hidden" INTEGER NOT NULL DEFAULT 0;
