-- Requests that are given up leave a row under their own unique key, so that they can never happen afterwards, and
-- statements look at their deadline themselves.

-- True before the deadline; null is no deadline. Behind it the whole statement fails, and nothing of it is kept. To be
-- evaluated behind the statement's locks: a core that was frozen, or a statement that waited, comes too late.
CREATE FUNCTION within_deadline(deadline TIMESTAMPTZ) RETURNS BOOLEAN
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    IF clock_timestamp() > deadline THEN
        RAISE EXCEPTION 'the deadline has passed' USING ERRCODE = 'HG001';
    END IF;
    RETURN true;
END
$$;

-- Closes a send that nobody may run any more. A tombstone is a row of "message" in group 0, which no group is: it
-- takes the place of the message under (sender_id, request_id). A run that has inserted its message and not committed
-- yet, whatever its commit waits for, is waited for. Returns whether there is no message under the id.
CREATE FUNCTION refuse_send(by_user_id BIGINT, with_request_id UUID) RETURNS BOOLEAN
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    tombstone_id BIGINT := nextval('message_id_seq');
BEGIN
    INSERT INTO message (id, group_id, seq, sender_id, request_id, content, date_created)
    VALUES (tombstone_id, 0, tombstone_id, by_user_id, with_request_id, '', clock_timestamp())
    ON CONFLICT (sender_id, request_id) DO NOTHING;
    IF FOUND THEN
        RETURN true;
    END IF;

    -- A new statement, so a new snapshot: it sees the row that the insert may have waited for.
    RETURN EXISTS (
        SELECT FROM message
        WHERE sender_id = by_user_id AND request_id = with_request_id AND group_id = 0
    );
END
$$;

-- The same for the changing requests of "request". begin_request finds the tombstone's answer, and it stands.
CREATE FUNCTION refuse_request(
    by_user_id BIGINT, with_request_id UUID, with_fingerprint TEXT
) RETURNS BOOLEAN
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    INSERT INTO request (user_id, request_id, fingerprint, answer)
    VALUES (by_user_id, with_request_id, with_fingerprint,
        '{"ok": false, "reason": "failed", "verdict": "failed"}')
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        RETURN true;
    END IF;

    RETURN EXISTS (
        SELECT FROM request
        WHERE user_id = by_user_id AND request_id = with_request_id AND answer ->> 'reason' = 'failed'
    );
END
$$;
