CREATE TABLE "channels" (
    "id" TEXT NOT NULL CONSTRAINT "pk_channels" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "agent_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "enabled" INTEGER NOT NULL,
    "status" TEXT NOT NULL,
    "config" TEXT NOT NULL,
    "credentials" TEXT NOT NULL,
    "token_hash" TEXT NOT NULL,
    "token" TEXT NOT NULL,
    "last_error" TEXT NULL,
    "last_inbound_at" TEXT NULL,
    "removed_at" TEXT NULL,
    "created_at" TEXT NOT NULL,
    "updated_at" TEXT NOT NULL
);

CREATE INDEX "ix_channels_agent_id_created_at" ON "channels" ("agent_id", "created_at");
CREATE UNIQUE INDEX "ix_channels_token_hash" ON "channels" ("token_hash");
CREATE INDEX "ix_channels_removed_at" ON "channels" ("removed_at") WHERE "removed_at" IS NOT NULL;

CREATE TABLE "channel_contacts" (
    "id" TEXT NOT NULL CONSTRAINT "pk_channel_contacts" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "channel_id" TEXT NOT NULL REFERENCES "channels" ("id") ON DELETE CASCADE,
    "external_id" TEXT NOT NULL,
    "display_name" TEXT NULL,
    "thread_id" TEXT NULL,
    "blocked" INTEGER NOT NULL,
    "message_count" INTEGER NOT NULL,
    "first_seen_at" TEXT NOT NULL,
    "last_seen_at" TEXT NOT NULL
);

CREATE UNIQUE INDEX "ix_channel_contacts_channel_id_external_id" ON "channel_contacts" ("channel_id", "external_id");
CREATE INDEX "ix_channel_contacts_channel_id_last_seen_at" ON "channel_contacts" ("channel_id", "last_seen_at");
CREATE INDEX "ix_channel_contacts_thread_id" ON "channel_contacts" ("thread_id") WHERE "thread_id" IS NOT NULL;

CREATE TABLE "channel_events" (
    "number" INTEGER NOT NULL CONSTRAINT "pk_channel_events" PRIMARY KEY AUTOINCREMENT,
    "org_id" TEXT NOT NULL,
    "channel_id" TEXT NOT NULL REFERENCES "channels" ("id") ON DELETE CASCADE,
    "event_id" TEXT NOT NULL,
    "contact" TEXT NOT NULL,
    "urgent" INTEGER NOT NULL,
    "payload" TEXT NOT NULL,
    "thread_id" TEXT NULL,
    "turn_id" TEXT NULL,
    "outbox" TEXT NULL,
    "sent" INTEGER NOT NULL,
    "answered" INTEGER NOT NULL,
    "node" TEXT NULL,
    "lease_until" TEXT NULL,
    "claim" INTEGER NOT NULL,
    "attempts" INTEGER NOT NULL,
    "due_at" TEXT NOT NULL,
    "received_at" TEXT NOT NULL,
    "finished_at" TEXT NULL
);

CREATE UNIQUE INDEX "ix_channel_events_channel_id_event_id" ON "channel_events" ("channel_id", "event_id");
CREATE INDEX "ix_channel_events_channel_id_contact_number" ON "channel_events" ("channel_id", "contact", "number") WHERE "finished_at" IS NULL;
CREATE INDEX "ix_channel_events_due_at" ON "channel_events" ("due_at") WHERE "finished_at" IS NULL;
CREATE INDEX "ix_channel_events_received_at" ON "channel_events" ("received_at") WHERE "finished_at" IS NOT NULL;
