ALTER TABLE "agents" ADD COLUMN "equipment" bigint NOT NULL DEFAULT 0;
