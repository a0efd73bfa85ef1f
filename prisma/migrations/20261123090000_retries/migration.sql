-- What retries need to know: how old a group's state is, and how far the sweep has come.

-- Written by changes of the group alone: a message's update of this row stays what it was.
ALTER TABLE "group" ADD COLUMN "date_changed" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;

-- A walk over all groups that outlives the processes, and Redis: each run goes on where the last one stopped.
CREATE TABLE "sweep" (
    "name" TEXT NOT NULL,
    "after_group_id" BIGINT NOT NULL,
    "epoch" TEXT NOT NULL,
    "is_catching_up" BOOLEAN NOT NULL,
    "revision" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "sweep_pkey" PRIMARY KEY ("name")
);

-- Both as they were, and "date_changed".

CREATE OR REPLACE FUNCTION add_member(
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
            UPDATE "group" g
            SET version = g.version + 1, version_seq = g.last_seq, date_changed = clock_timestamp()
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

CREATE OR REPLACE FUNCTION leave_group(
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
            SET version = g.version + 1, version_seq = g.last_seq, closed = g.closed OR remaining < 2,
                date_changed = clock_timestamp()
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
