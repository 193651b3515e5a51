CREATE TABLE compactions (
    thread_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    seq bigint NOT NULL,
    org_id uuid NOT NULL,
    through_seq bigint NOT NULL,
    summary text,
    before_tokens bigint NOT NULL,
    after_tokens bigint NOT NULL,
    turn_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_compactions PRIMARY KEY (thread_id, agent_id, seq)
);


ALTER TABLE threads ADD COLUMN compacted_seq bigint NOT NULL DEFAULT 0;

CREATE INDEX ix_threads_parent_thread_id ON threads (parent_thread_id) WHERE hidden;
