-- What belongs to a user's credential beside its hash. "user"."credential_hash" stays: a core of the release before signs
-- in by it. It is the hash of the code until the first sign-in with the token, and that of the token from then on. The
-- table is apart from "user" because every state reads that one, and is the smaller for it.
-- No foreign key: row 0 counts the wrong guesses at numbers without a credential, so that a guess costs the same work
-- whether the number is known or not.
CREATE TABLE "credential" (
    "user_id" BIGINT NOT NULL,
    -- Grows with each new credential, and when an operator ends it. Sessions of an earlier one are closed.
    "version" BIGINT NOT NULL DEFAULT 0,
    "token_hash" BYTEA,
    -- Wrong guesses at the code. A new code does not reset them, a right sign-in does.
    "code_failures" INTEGER NOT NULL DEFAULT 0,
    -- Keyed hashes of the networks from which the user signed in, the newest first.
    "networks" BYTEA[] NOT NULL DEFAULT '{}',
    "date_created" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "credential_pkey" PRIMARY KEY ("user_id")
) WITH (fillfactor = 80);

INSERT INTO "credential" ("user_id") VALUES (0);
