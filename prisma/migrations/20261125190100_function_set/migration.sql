-- The sets of SQL functions that this database has had (packages/db/sql/functions). The latest one is in force.
CREATE TABLE "function_set" (
    "id" BIGINT GENERATED ALWAYS AS IDENTITY,
    "checksum" TEXT NOT NULL,
    "names" TEXT[] NOT NULL,
    "date_applied" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "function_set_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "function_set_checksum_key" UNIQUE ("checksum")
);
