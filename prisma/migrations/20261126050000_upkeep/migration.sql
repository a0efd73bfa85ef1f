-- How far the walks have come that delete what its time has come for. A pass outlives the processes; all cores share one.
CREATE TABLE "upkeep" (
    "name" TEXT NOT NULL,
    -- Where the next portion begins. Null: no pass is under way.
    "place" BIGINT,
    -- Of the pass that is under way, or of the last one.
    "date_begun" TIMESTAMPTZ(3),

    CONSTRAINT "upkeep_pkey" PRIMARY KEY ("name")
);

INSERT INTO "upkeep" ("name") VALUES ('answers'), ('messages');
