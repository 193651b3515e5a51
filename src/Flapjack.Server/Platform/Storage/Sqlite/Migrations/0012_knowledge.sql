CREATE TABLE "knowledge_scopes" (
    "number" INTEGER NOT NULL CONSTRAINT "pk_knowledge_scopes" PRIMARY KEY AUTOINCREMENT,
    "org_id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "scope_id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "chunks" INTEGER NOT NULL,
    "words" INTEGER NOT NULL
);

CREATE UNIQUE INDEX "ix_knowledge_scopes_scope_id" ON "knowledge_scopes" ("scope_id");
CREATE INDEX "ix_knowledge_scopes_org_id_type" ON "knowledge_scopes" ("org_id", "type");

CREATE TABLE "documents" (
    "id" TEXT NOT NULL CONSTRAINT "pk_documents" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "scope" INTEGER NULL REFERENCES "knowledge_scopes" ("number") ON DELETE CASCADE,
    "scope_type" TEXT NOT NULL,
    "scope_id" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "titled" INTEGER NOT NULL,
    "source_ref" TEXT NOT NULL,
    "address" TEXT NULL,
    "declared_type" TEXT NULL,
    "media_type" TEXT NULL,
    "size_bytes" INTEGER NOT NULL,
    "sha256" TEXT NULL,
    "page_count" INTEGER NULL,
    "metadata" TEXT NOT NULL,
    "refresh_hours" INTEGER NULL,
    "last_fetched_at" TEXT NULL,
    "fetch_due_at" TEXT NULL,
    "status" TEXT NOT NULL,
    "error" TEXT NULL,
    "chunk_count" INTEGER NOT NULL,
    "revision" INTEGER NULL,
    "embedding_model" TEXT NULL,
    "work" TEXT NULL,
    "queued_at" TEXT NULL,
    "node" TEXT NULL,
    "lease_until" TEXT NULL,
    "claim" INTEGER NOT NULL,
    "attempts" INTEGER NOT NULL,
    "created_at" TEXT NOT NULL,
    "updated_at" TEXT NOT NULL
);

CREATE INDEX "ix_documents_scope_created_at" ON "documents" ("scope", "created_at");
CREATE INDEX "ix_documents_scope_sha256" ON "documents" ("scope", "sha256");
CREATE INDEX "ix_documents_org_id_created_at" ON "documents" ("org_id", "created_at");
CREATE INDEX "ix_documents_queued_at" ON "documents" ("queued_at") WHERE work IS NOT NULL;
CREATE INDEX "ix_documents_fetch_due_at" ON "documents" ("fetch_due_at") WHERE fetch_due_at IS NOT NULL;
CREATE INDEX "ix_documents_status" ON "documents" ("status") WHERE status IN ('receiving', 'deleted');

CREATE TABLE "document_pieces" (
    "document_id" TEXT NOT NULL REFERENCES "documents" ("id") ON DELETE CASCADE,
    "position" INTEGER NOT NULL,
    "content" BLOB NOT NULL,
    CONSTRAINT "pk_document_pieces" PRIMARY KEY ("document_id", "position")
);

CREATE TABLE "document_revisions" (
    "number" INTEGER NOT NULL CONSTRAINT "pk_document_revisions" PRIMARY KEY AUTOINCREMENT,
    "document_id" TEXT NOT NULL REFERENCES "documents" ("id") ON DELETE CASCADE,
    "scope" INTEGER NOT NULL,
    "chunks" INTEGER NOT NULL,
    "words" INTEGER NOT NULL
);

CREATE INDEX "ix_document_revisions_document_id" ON "document_revisions" ("document_id");

CREATE TABLE "document_chunks" (
    "revision" INTEGER NOT NULL REFERENCES "document_revisions" ("number") ON DELETE CASCADE,
    "position" INTEGER NOT NULL,
    "id" TEXT NOT NULL,
    "tokens" INTEGER NOT NULL,
    "page" INTEGER NULL,
    "heading" TEXT NULL,
    "text" TEXT NOT NULL,
    CONSTRAINT "pk_document_chunks" PRIMARY KEY ("revision", "position")
);

CREATE TABLE "document_vectors" (
    "revision" INTEGER NOT NULL REFERENCES "document_revisions" ("number") ON DELETE CASCADE,
    "position" INTEGER NOT NULL,
    "data" BLOB NOT NULL,
    CONSTRAINT "pk_document_vectors" PRIMARY KEY ("revision", "position")
);

CREATE TABLE "document_sketches" (
    "revision" INTEGER NOT NULL CONSTRAINT "pk_document_sketches" PRIMARY KEY REFERENCES "document_revisions" ("number") ON DELETE CASCADE,
    "model" TEXT NOT NULL,
    "dimensions" INTEGER NOT NULL,
    "data" BLOB NOT NULL
);

CREATE TABLE "document_words" (
    "scope" INTEGER NOT NULL,
    "word" TEXT NOT NULL,
    "revision" INTEGER NOT NULL REFERENCES "document_revisions" ("number") ON DELETE CASCADE,
    "hits" INTEGER NOT NULL,
    "data" BLOB NOT NULL,
    CONSTRAINT "pk_document_words" PRIMARY KEY ("scope", "word", "revision")
) WITHOUT ROWID;

CREATE INDEX "ix_document_words_revision" ON "document_words" ("revision");

CREATE TABLE "turn_sources" (
    "turn_id" TEXT NOT NULL,
    "agent_id" TEXT NOT NULL,
    "rank" INTEGER NOT NULL,
    "org_id" TEXT NOT NULL,
    "thread_id" TEXT NULL,
    "document_id" TEXT NOT NULL REFERENCES "documents" ("id") ON DELETE CASCADE,
    "chunk_id" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "source_ref" TEXT NOT NULL,
    "scope_type" TEXT NOT NULL,
    "position" INTEGER NOT NULL,
    "page" INTEGER NULL,
    "score" REAL NOT NULL,
    "text" TEXT NOT NULL,
    CONSTRAINT "pk_turn_sources" PRIMARY KEY ("turn_id", "agent_id", "rank")
);

CREATE INDEX "ix_turn_sources_document_id" ON "turn_sources" ("document_id");
CREATE INDEX "ix_turn_sources_thread_id" ON "turn_sources" ("thread_id");
