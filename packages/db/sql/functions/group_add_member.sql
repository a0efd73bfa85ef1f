-- Adds a user to a group of the caller's. Its locks are described in group_create.
CREATE OR REPLACE FUNCTION group_add_member(
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
            NULL; -- A member already: a success that changes nothing, in a direct message too.
        ELSIF added_id IS NULL THEN
            reason := 'user_unknown';
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
        state := small_group_state(to_group_id);
    END IF;
    RETURN NEXT;
END
$$;
