-- People, groups, members with their cursors, messages, requests with their answers, verification challenges.
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

-- With the group: otherwise the planner, who sees that most people are in few groups, looks up a membership by
-- the person alone, and somebody in ten thousand groups slows down the batch of everybody.
CREATE INDEX "group_member_user_id_group_id_idx" ON "group_member" ("user_id", "group_id");

-- CACHE 1 (the default, said aloud): a session that kept numbers in stock would give a later message a lower id.
CREATE SEQUENCE "message_id_seq" AS BIGINT CACHE 1;

-- No foreign keys: the statement that inserts has just found the sender among the group's members and holds the
-- lock on the group, people and groups are never deleted, and two more look-ups a message would buy nothing.
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

-- A date as the protocol writes it: ISO 8601, UTC, milliseconds.
CREATE FUNCTION wire_date(moment TIMESTAMPTZ) RETURNS TEXT
LANGUAGE sql STABLE PARALLEL SAFE
RETURN to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

-- A group's state as gateways and cores speak of it; null for an unknown group.
-- STABLE: it sees what the statement that calls it sees. A function that changes a group calls it in a
-- statement of its own, after the change.
CREATE FUNCTION group_state(of_group_id BIGINT) RETURNS JSON
LANGUAGE sql STABLE
RETURN (
    SELECT json_build_object(
        'group_id', g.id,
        'version', g.version,
        'version_seq', g.version_seq,
        'date_created', wire_date(g.date_created),
        'group_name', g.name,
        'is_direct_message', g.is_direct_message,
        'closed', g.closed,
        'members', coalesce(
            (SELECT json_agg(json_build_array(u.id, u.sid, m.joined_seq) ORDER BY u.sid)
             FROM group_member m JOIN "user" u ON u.id = m.user_id
             WHERE m.group_id = g.id),
            '[]'))
    FROM "group" g
    WHERE g.id = of_group_id
);

-- Begins a changing request. Returns null when this is its first run: the caller goes on and ends with
-- answer_request. Otherwise the answer that stands: the first run's, or {"ok": false, "reason": "id_used"}.
-- A first run that is still under way is waited for. A refusal is an answer too.
CREATE FUNCTION begin_request(
    by_user_id BIGINT, with_request_id UUID, is_repeatable BOOLEAN, with_fingerprint TEXT
) RETURNS JSONB
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    earlier request%ROWTYPE;
BEGIN
    -- The client chose this id, and may have used it for a message. Asked first: nothing to undo then.
    IF is_repeatable AND EXISTS (
        SELECT FROM message WHERE sender_id = by_user_id AND request_id = with_request_id
    ) THEN
        RETURN '{"ok": false, "reason": "id_used"}';
    END IF;

    INSERT INTO request (user_id, request_id, fingerprint)
    VALUES (by_user_id, with_request_id, with_fingerprint)
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        RETURN NULL;
    END IF;

    -- A new statement, so a new snapshot: it sees the row that the insert may have waited for.
    SELECT * INTO STRICT earlier FROM request
    WHERE user_id = by_user_id AND request_id = with_request_id;
    IF earlier.fingerprint <> with_fingerprint THEN
        RETURN '{"ok": false, "reason": "id_used"}';
    END IF;
    RETURN earlier.answer;
END
$$;

CREATE FUNCTION answer_request(by_user_id BIGINT, with_request_id UUID, with_answer JSONB) RETURNS JSONB
LANGUAGE sql VOLATILE
BEGIN ATOMIC
    UPDATE request SET answer = with_answer
    WHERE user_id = by_user_id AND request_id = with_request_id
    RETURNING answer;
END;

-- The three changes of a group. Each is one transaction that locks, then writes, then reads, in statements of
-- their own: in a VOLATILE function every statement has a new snapshot, so what it announces contains all that
-- was committed while it waited for a lock. The row locks: the request, people in sid order, the pair, the group.
-- "state" is null where nobody needs to hear of anything.

CREATE FUNCTION create_group(
    by_user_id BIGINT, with_request_id UUID, is_repeatable BOOLEAN, with_fingerprint TEXT,
    with_name TEXT, with_sids TEXT[]
) RETURNS TABLE (answer JSONB, state JSON)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    members BIGINT[];
    pair TEXT;
    made_id BIGINT;
    is_new BOOLEAN := false;
BEGIN
    answer := begin_request(by_user_id, with_request_id, is_repeatable, with_fingerprint);
    IF answer IS NULL THEN
        INSERT INTO "user" (sid)
        SELECT DISTINCT s.sid COLLATE "C" AS sid
        FROM unnest(with_sids) AS s(sid)
        WHERE NOT EXISTS (SELECT FROM "user" u WHERE u.sid = s.sid COLLATE "C")
        ORDER BY 1
        ON CONFLICT (sid) DO NOTHING;

        SELECT array_agg(u.id ORDER BY u.id) INTO members
        FROM "user" u WHERE u.sid = ANY (with_sids);

        IF cardinality(members) = 2 THEN
            pair := members[1] || ':' || members[2];
            PERFORM pg_advisory_xact_lock(hashtextextended('direct message ' || pair, 0));
            -- The lock on the row waits for a LEAVE under way, and then looks at "closed" again.
            SELECT g.id INTO made_id FROM "group" g
            WHERE g.direct_key = pair AND NOT g.closed FOR SHARE;
        END IF;

        IF made_id IS NULL THEN
            is_new := true;
            INSERT INTO "group" (name, is_direct_message, direct_key, date_created)
            VALUES (with_name, pair IS NOT NULL, pair, clock_timestamp())
            RETURNING id INTO made_id;

            INSERT INTO group_member (group_id, user_id, joined_seq)
            SELECT made_id, m.user_id, 0 FROM unnest(members) AS m(user_id) ORDER BY m.user_id;
        END IF;

        answer := answer_request(by_user_id, with_request_id,
            jsonb_build_object('ok', true, 'group_id', made_id, 'created', is_new));
    END IF;

    state := group_state((answer ->> 'group_id')::BIGINT);
    RETURN NEXT;
END
$$;

CREATE FUNCTION add_member(
    by_user_id BIGINT, with_request_id UUID, is_repeatable BOOLEAN, with_fingerprint TEXT,
    to_group_id BIGINT, with_sid TEXT
) RETURNS TABLE (answer JSONB, state JSON)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    locked "group"%ROWTYPE;
    added_id BIGINT;
    reason TEXT;
    changed BOOLEAN := false;
BEGIN
    answer := begin_request(by_user_id, with_request_id, is_repeatable, with_fingerprint);
    IF answer IS NULL THEN
        SELECT * INTO locked FROM "group" g WHERE g.id = to_group_id FOR NO KEY UPDATE;
        SELECT u.id INTO added_id FROM "user" u WHERE u.sid = with_sid;

        IF NOT EXISTS (
            SELECT FROM group_member m WHERE m.group_id = to_group_id AND m.user_id = by_user_id
        ) THEN
            reason := 'not_member';
        ELSIF locked.closed THEN
            reason := 'closed';
        ELSIF EXISTS (
            SELECT FROM group_member m WHERE m.group_id = to_group_id AND m.user_id = added_id
        ) THEN
            NULL; -- There already: a success that changes nothing, in a direct message too.
        ELSIF added_id IS NULL THEN
            reason := 'person_unknown';
        ELSIF locked.is_direct_message THEN
            reason := 'direct_message';
        ELSE
            changed := true;
            INSERT INTO group_member (group_id, user_id, joined_seq, delivered_seq)
            VALUES (to_group_id, added_id, locked.last_seq, locked.last_seq);
            UPDATE "group" g SET version = g.version + 1, version_seq = g.last_seq
            WHERE g.id = to_group_id;
        END IF;

        answer := answer_request(by_user_id, with_request_id, CASE
            WHEN reason IS NULL THEN jsonb_build_object(
                'ok', true, 'group_id', to_group_id, 'added_user_id', added_id, 'changed', changed)
            ELSE jsonb_build_object('ok', false, 'reason', reason) END);
    END IF;

    IF (answer -> 'changed')::BOOLEAN THEN
        state := group_state(to_group_id);
    END IF;
    RETURN NEXT;
END
$$;

CREATE FUNCTION leave_group(
    by_user_id BIGINT, with_request_id UUID, is_repeatable BOOLEAN, with_fingerprint TEXT,
    from_group_id BIGINT
) RETURNS TABLE (answer JSONB, state JSON)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    remaining BIGINT;
BEGIN
    answer := begin_request(by_user_id, with_request_id, is_repeatable, with_fingerprint);
    IF answer IS NULL THEN
        PERFORM FROM "group" g WHERE g.id = from_group_id FOR NO KEY UPDATE;
        DELETE FROM group_member m WHERE m.group_id = from_group_id AND m.user_id = by_user_id;

        IF FOUND THEN
            SELECT count(*) INTO remaining FROM group_member m WHERE m.group_id = from_group_id;
            UPDATE "group" g
            SET version = g.version + 1, version_seq = g.last_seq, closed = g.closed OR remaining < 2
            WHERE g.id = from_group_id;
            answer := answer_request(by_user_id, with_request_id,
                jsonb_build_object('ok', true, 'group_id', from_group_id));
        ELSE
            answer := answer_request(by_user_id, with_request_id,
                '{"ok": false, "reason": "not_member"}');
        END IF;
    END IF;

    state := group_state((answer ->> 'group_id')::BIGINT);
    RETURN NEXT;
END
$$;

-- Records that a code was asked for, before anybody is told to send one. False: this request ran before.
-- Nobody is signed in: requests of user 0, whose ids the caller has made of connection, id and payload together.
CREATE FUNCTION record_challenge(
    with_request_id UUID, on_connection_id UUID, for_sid TEXT, with_code_hash BYTEA, ttl_ms BIGINT
) RETURNS BOOLEAN
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    IF begin_request(0, with_request_id, false, 'record_challenge') IS NOT NULL THEN
        RETURN false;
    END IF;

    INSERT INTO verification_challenge AS c (connection_id, sid, code_hash, attempts, date_expires)
    VALUES (on_connection_id, for_sid, with_code_hash, 0,
        clock_timestamp() + ttl_ms * INTERVAL '1 millisecond')
    ON CONFLICT (connection_id) DO UPDATE
    SET sid = excluded.sid, code_hash = excluded.code_hash, attempts = 0,
        date_expires = excluded.date_expires;

    PERFORM answer_request(0, with_request_id, '{"ok": true}');
    RETURN true;
END
$$;

-- Judges a submitted code. Null as a hash: a provider outside has approved the code for "for_sid", which holds
-- only for a challenge of that person whose code is kept outside. A right code becomes the credential.
CREATE FUNCTION submit_challenge(
    with_request_id UUID, on_connection_id UUID, for_sid TEXT, with_code_hash BYTEA,
    with_credential_hash BYTEA, attempts_max INTEGER
) RETURNS TEXT
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    standing JSONB;
    challenge verification_challenge%ROWTYPE;
    verdict TEXT;
BEGIN
    -- Costs whoever submits without having asked nothing to be kept.
    IF NOT EXISTS (SELECT FROM verification_challenge c WHERE c.connection_id = on_connection_id)
        AND NOT EXISTS (SELECT FROM request r WHERE r.user_id = 0 AND r.request_id = with_request_id)
    THEN
        RETURN 'none';
    END IF;

    standing := begin_request(0, with_request_id, false, 'submit_challenge');
    IF standing IS NOT NULL THEN
        RETURN standing ->> 'verdict';
    END IF;

    SELECT * INTO challenge FROM verification_challenge c
    WHERE c.connection_id = on_connection_id FOR UPDATE;

    IF NOT FOUND OR (with_code_hash IS NULL AND challenge.sid IS DISTINCT FROM for_sid) THEN
        verdict := 'none';
    ELSIF challenge.date_expires <= clock_timestamp() THEN
        verdict := 'expired';
    ELSIF challenge.attempts >= attempts_max THEN
        verdict := 'too_many';
    ELSIF challenge.code_hash IS DISTINCT FROM with_code_hash THEN
        verdict := 'wrong';
        UPDATE verification_challenge c SET attempts = c.attempts + 1
        WHERE c.connection_id = on_connection_id;
    ELSE
        verdict := 'right';
        INSERT INTO "user" (sid, credential_hash)
        VALUES (challenge.sid, with_credential_hash)
        ON CONFLICT (sid) DO UPDATE SET credential_hash = excluded.credential_hash;
        DELETE FROM verification_challenge c WHERE c.connection_id = on_connection_id;
    END IF;

    PERFORM answer_request(0, with_request_id, jsonb_build_object('verdict', verdict));
    RETURN verdict;
END
$$;
