CREATE TABLE files (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    thread_id uuid,
    user_id uuid,
    name text NOT NULL,
    media_type text NOT NULL,
    size_bytes bigint NOT NULL,
    sha256 text NOT NULL,
    purpose text NOT NULL,
    ready boolean NOT NULL,
    expires_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_files PRIMARY KEY (id)
);

CREATE INDEX ix_files_expires_at ON files (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX ix_files_thread_id ON files (thread_id);

CREATE TABLE file_chunks (
    file_id uuid NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    position integer NOT NULL,
    content bytea NOT NULL,
    CONSTRAINT pk_file_chunks PRIMARY KEY (file_id, position)
);

-- Most files are compressed already.
ALTER TABLE file_chunks ALTER COLUMN content SET STORAGE EXTERNAL;

CREATE TABLE file_uses (
    thread_id uuid NOT NULL,
    seq bigint NOT NULL,
    file_id uuid NOT NULL,
    org_id uuid NOT NULL,
    CONSTRAINT pk_file_uses PRIMARY KEY (thread_id, seq, file_id)
);

CREATE INDEX ix_file_uses_file_id ON file_uses (file_id);

ALTER TABLE messages ADD COLUMN attachments text;
