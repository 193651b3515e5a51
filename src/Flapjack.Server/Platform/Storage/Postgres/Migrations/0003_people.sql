CREATE TABLE invites (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    email text,
    role text NOT NULL,
    token_hash text NOT NULL,
    created_by uuid,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT pk_invites PRIMARY KEY (id)
);


CREATE UNIQUE INDEX ix_invites_token_hash ON invites (token_hash);


CREATE INDEX ix_invites_org_id_created_at ON invites (org_id, created_at);


CREATE TABLE external_identities (
    issuer text NOT NULL,
    subject text NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_external_identities PRIMARY KEY (issuer, subject)
);


CREATE INDEX ix_external_identities_user_id ON external_identities (user_id);


CREATE TABLE login_failures (
    key text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    count integer NOT NULL,
    CONSTRAINT pk_login_failures PRIMARY KEY (key)
);


ALTER TABLE login_links ADD COLUMN created_by uuid;


ALTER TABLE organisations ADD COLUMN deleted_at timestamp with time zone;


ALTER TABLE users ADD COLUMN email_confirmed boolean NOT NULL DEFAULT true;
