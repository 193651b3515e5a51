CREATE TABLE memories (
    id uuid NOT NULL,
    number bigint NOT NULL,
    org_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    scope text NOT NULL,
    scope_id text NOT NULL,
    thread_id uuid,
    content text NOT NULL,
    fingerprint bigint NOT NULL,
    source text NOT NULL,
    metadata text NOT NULL,
    last_used_at timestamp with time zone,
    touched_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_memories PRIMARY KEY (id)
);

CREATE UNIQUE INDEX ix_memories_number ON memories (number);
CREATE INDEX ix_memories_agent_id_touched_at ON memories (agent_id, touched_at);
CREATE INDEX ix_memories_agent_id_number ON memories (agent_id, number);
CREATE INDEX ix_memories_fingerprint ON memories (fingerprint);
CREATE INDEX ix_memories_thread_id ON memories (thread_id) WHERE thread_id IS NOT NULL;

CREATE TABLE memory_terms (
    term bigint NOT NULL,
    memory_number bigint NOT NULL REFERENCES memories (number) ON DELETE CASCADE,
    CONSTRAINT pk_memory_terms PRIMARY KEY (term, memory_number)
);

CREATE INDEX ix_memory_terms_memory_number ON memory_terms (memory_number);

CREATE TABLE memory_vectors (
    memory_number bigint NOT NULL REFERENCES memories (number) ON DELETE CASCADE,
    model text NOT NULL,
    vector bytea NOT NULL,
    CONSTRAINT pk_memory_vectors PRIMARY KEY (memory_number)
);

-- Numbers that look like noise do not compress.
ALTER TABLE memory_vectors ALTER COLUMN vector SET STORAGE EXTERNAL;
