CREATE TABLE "invites" (
    "id" TEXT NOT NULL CONSTRAINT "pk_invites" PRIMARY KEY,
    "org_id" TEXT NOT NULL,
    "email" TEXT NULL,
    "role" TEXT NOT NULL,
    "token_hash" TEXT NOT NULL,
    "created_by" TEXT NULL,
    "created_at" TEXT NOT NULL,
    "expires_at" TEXT NOT NULL,
    "used_at" TEXT NULL
);


CREATE UNIQUE INDEX "ix_invites_token_hash" ON "invites" ("token_hash");


CREATE INDEX "ix_invites_org_id_created_at" ON "invites" ("org_id", "created_at");


CREATE TABLE "external_identities" (
    "issuer" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "created_at" TEXT NOT NULL,
    CONSTRAINT "pk_external_identities" PRIMARY KEY ("issuer", "subject")
);


CREATE INDEX "ix_external_identities_user_id" ON "external_identities" ("user_id");


CREATE TABLE "login_failures" (
    "key" TEXT NOT NULL CONSTRAINT "pk_login_failures" PRIMARY KEY,
    "started_at" TEXT NOT NULL,
    "count" INTEGER NOT NULL
);


ALTER TABLE "login_links" ADD COLUMN "created_by" TEXT NULL;


ALTER TABLE "organisations" ADD COLUMN "deleted_at" TEXT NULL;


ALTER TABLE "users" ADD COLUMN "email_confirmed" INTEGER NOT NULL DEFAULT 1;
