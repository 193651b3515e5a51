ALTER TABLE turns ADD COLUMN fence bigint NOT NULL DEFAULT 0;
ALTER TABLE turns ADD COLUMN credential_id uuid;
ALTER TABLE turns ADD COLUMN events bytea;

-- Leases are compared with the database's clock, since those of the nodes differ.
CREATE FUNCTION flapjack_now(seconds double precision) RETURNS timestamp with time zone LANGUAGE sql STABLE AS $$ SELECT now() + make_interval(secs => seconds) $$;
