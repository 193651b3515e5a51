ALTER TABLE threads ADD COLUMN expires_at timestamp with time zone;

CREATE INDEX ix_threads_expires_at ON threads (expires_at) WHERE expires_at IS NOT NULL;

ALTER TABLE agents ADD COLUMN hidden boolean NOT NULL DEFAULT false;
