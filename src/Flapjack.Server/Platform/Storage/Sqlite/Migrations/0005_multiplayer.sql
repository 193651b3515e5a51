CREATE TABLE "agent_configs" (
    "agent_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "org_id" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "updated_at" TEXT NOT NULL,
    CONSTRAINT "pk_agent_configs" PRIMARY KEY ("agent_id", "name")
);


ALTER TABLE "turns" ADD COLUMN "leg" INTEGER NOT NULL DEFAULT 0;
