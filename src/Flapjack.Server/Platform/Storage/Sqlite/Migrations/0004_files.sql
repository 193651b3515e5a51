CREATE TABLE "files" (
    "id" TEXT NOT NULL CONSTRAINT "pk_files" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "thread_id" TEXT NULL,
    "user_id" TEXT NULL,
    "name" TEXT NOT NULL,
    "media_type" TEXT NOT NULL,
    "size_bytes" INTEGER NOT NULL,
    "sha256" TEXT NOT NULL,
    "purpose" TEXT NOT NULL,
    "ready" INTEGER NOT NULL,
    "expires_at" TEXT NULL,
    "created_at" TEXT NOT NULL
);

CREATE INDEX "ix_files_expires_at" ON "files" ("expires_at") WHERE expires_at IS NOT NULL;
CREATE INDEX "ix_files_thread_id" ON "files" ("thread_id");

CREATE TABLE "file_chunks" (
    "file_id" TEXT NOT NULL REFERENCES "files" ("id") ON DELETE CASCADE,
    "position" INTEGER NOT NULL,
    "content" BLOB NOT NULL,
    CONSTRAINT "pk_file_chunks" PRIMARY KEY ("file_id", "position")
);

CREATE TABLE "file_uses" (
    "thread_id" TEXT NOT NULL,
    "seq" INTEGER NOT NULL,
    "file_id" TEXT NOT NULL,
    "org_id" TEXT NOT NULL,
    CONSTRAINT "pk_file_uses" PRIMARY KEY ("thread_id", "seq", "file_id")
);

CREATE INDEX "ix_file_uses_file_id" ON "file_uses" ("file_id");

ALTER TABLE "messages" ADD COLUMN "attachments" TEXT NULL;
