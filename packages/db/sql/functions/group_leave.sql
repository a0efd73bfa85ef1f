-- Removes the caller from a group; fewer than two members close it. Its locks are described in group_create. While it
-- holds the group's row it looks at a few members, however many there are.
CREATE OR REPLACE FUNCTION group_leave(
    by_user_id BIGINT, with_request_id UUID, is_repeatable BOOLEAN, with_fingerprint TEXT,
    from_group_id BIGINT
) RETURNS TABLE (answer JSONB, state JSON)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    remaining BIGINT;
BEGIN
    -- Who is no member is refused without a row: anybody could make any number of them. Sent again it is judged again.
    IF NOT EXISTS (SELECT FROM group_member m WHERE m.group_id = from_group_id AND m.user_id = by_user_id)
        AND NOT EXISTS (SELECT FROM request r WHERE r.user_id = by_user_id AND r.request_id = with_request_id)
        AND NOT (is_repeatable AND EXISTS (
            SELECT FROM message m WHERE m.sender_id = by_user_id AND m.request_id = with_request_id))
    THEN
        answer := '{"ok": false, "reason": "not_member"}';
        RETURN NEXT;
        RETURN;
    END IF;

    answer := begin_request(by_user_id, with_request_id, is_repeatable, with_fingerprint);
    IF answer IS NULL THEN
        PERFORM FROM "group" g WHERE g.id = from_group_id FOR NO KEY UPDATE;
        DELETE FROM group_member m WHERE m.group_id = from_group_id AND m.user_id = by_user_id;

        IF FOUND THEN
            SELECT count(*) INTO remaining
            FROM (SELECT FROM group_member m WHERE m.group_id = from_group_id LIMIT 2) few;
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

    state := small_group_state((answer ->> 'group_id')::BIGINT);
    RETURN NEXT;
END
$$;
