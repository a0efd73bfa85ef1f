-- Users, groups, members with their cursors, messages, requests with their answers, verification challenges, and what
-- the cores remember: the sweep's place, the database's epoch. The functions are in packages/db/sql/functions.
-- Every id and every count is a bigint: an id from outside that is too large for an int would abort the batch
-- of everybody else.

CREATE TABLE "user" (
    "id" BIGINT GENERATED ALWAYS AS IDENTITY,
    -- "C": states list their members by code unit, not by a locale.
    "sid" TEXT COLLATE "C" NOT NULL,
    "credential_hash" BYTEA,
    "date_created" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "user_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "user_sid_key" UNIQUE ("sid")
);

-- Each message updates its group's row, and no indexed column of it: with room on the page the update stays
-- there and touches no index (a HOT update).
CREATE TABLE "group" (
    "id" BIGINT GENERATED ALWAYS AS IDENTITY,
    "name" TEXT NOT NULL,
    "is_direct_message" BOOLEAN NOT NULL,
    "direct_key" TEXT,
    "closed" BOOLEAN NOT NULL DEFAULT false,
    "last_seq" BIGINT NOT NULL DEFAULT 0,
    "version" BIGINT NOT NULL DEFAULT 1,
    "version_seq" BIGINT NOT NULL DEFAULT 0,
    "date_created" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    -- Written by changes of the group alone, not by its messages.
    "date_changed" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "group_pkey" PRIMARY KEY ("id")
) WITH (fillfactor = 80);

-- The one open direct message of a pair. A closed one stays, and gives its place to a new group.
CREATE UNIQUE INDEX "group_direct_key_open_key" ON "group" ("direct_key") WHERE NOT "closed";

CREATE TABLE "group_member" (
    "group_id" BIGINT NOT NULL,
    "user_id" BIGINT NOT NULL,
    "joined_seq" BIGINT NOT NULL,
    "delivered_seq" BIGINT NOT NULL DEFAULT 0,
    "delivered_version" BIGINT NOT NULL DEFAULT 0,
    "retried_version" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "group_member_pkey" PRIMARY KEY ("group_id", "user_id"),
    CONSTRAINT "group_member_group_id_fkey" FOREIGN KEY ("group_id") REFERENCES "group" ("id")
        ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT "group_member_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user" ("id")
        ON DELETE RESTRICT ON UPDATE RESTRICT
) WITH (fillfactor = 70);

-- With the group: otherwise the planner, which sees that most users are in few groups, looks up a membership by
-- the user alone, and a user in ten thousand groups slows down the batch of everybody.
CREATE INDEX "group_member_user_id_group_id_idx" ON "group_member" ("user_id", "group_id");

-- CACHE 1 (the default, written out): a session that kept numbers in stock would give a later message a lower id.
CREATE SEQUENCE "message_id_seq" AS BIGINT CACHE 1;

-- No foreign keys: the statement that inserts has just found the sender among the group's members and holds the
-- lock on the group, users and groups are never deleted, and two more look-ups a message would buy nothing.
CREATE TABLE "message" (
    "id" BIGINT NOT NULL,
    "group_id" BIGINT NOT NULL,
    "seq" BIGINT NOT NULL,
    "sender_id" BIGINT NOT NULL,
    "request_id" UUID NOT NULL,
    "content" TEXT NOT NULL,
    "date_created" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "message_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "message_group_id_seq_key" UNIQUE ("group_id", "seq"),
    CONSTRAINT "message_sender_id_request_id_key" UNIQUE ("sender_id", "request_id")
);

CREATE TABLE "request" (
    "user_id" BIGINT NOT NULL,
    "request_id" UUID NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "answer" JSONB,
    "date_created" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "request_pkey" PRIMARY KEY ("user_id", "request_id")
);

-- The requests of nobody are deleted by age.
CREATE INDEX "request_nobody_date_created_idx" ON "request" ("date_created") WHERE "user_id" = 0;

CREATE TABLE "verification_challenge" (
    "connection_id" UUID NOT NULL,
    "sid" TEXT NOT NULL,
    "code_hash" BYTEA,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "date_expires" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "verification_challenge_pkey" PRIMARY KEY ("connection_id")
) WITH (fillfactor = 80);

CREATE INDEX "verification_challenge_date_expires_idx" ON "verification_challenge" ("date_expires");

-- A walk over all groups that outlives the processes, and Redis: each run goes on where the last one stopped.
CREATE TABLE "sweep" (
    "name" TEXT NOT NULL,
    "after_group_id" BIGINT NOT NULL,
    "epoch" TEXT NOT NULL,
    "is_catching_up" BOOLEAN NOT NULL,
    "revision" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "sweep_pkey" PRIMARY KEY ("name")
);

-- A database can come back older: a standby that was promoted before it had everything, a restored backup.
-- What gateways and clients remember of the lost history must not meet what is stored in the new one, so each
-- history that lost something has an epoch of its own, and ids that were given once are never given again.
-- One row: in which history it was written. No core has been here yet while "history" is null.
CREATE TABLE "database_epoch" (
    "name" TEXT NOT NULL,
    -- 0 at first, then milliseconds since 1970 at the change: it grows, also where an earlier change was lost.
    "epoch" BIGINT NOT NULL DEFAULT 0,
    "history" TEXT,
    -- The transaction that wrote the row. A restored row was copied by another one.
    "written_by" BIGINT,

    CONSTRAINT "database_epoch_pkey" PRIMARY KEY ("name")
);

INSERT INTO "database_epoch" ("name") VALUES ('database');
