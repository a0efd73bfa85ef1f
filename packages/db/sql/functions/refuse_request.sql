-- Gives up a changing request that is no send, as refuse_send does: begin_request finds the tombstone's answer, which
-- stands.
CREATE OR REPLACE FUNCTION refuse_request(
    by_user_id BIGINT, with_request_id UUID, with_fingerprint TEXT
) RETURNS BOOLEAN
LANGUAGE plpgsql VOLATILE
SET lock_timeout = 0
AS $$
BEGIN
    INSERT INTO request (user_id, request_id, fingerprint, answer)
    VALUES (by_user_id, with_request_id, with_fingerprint,
        '{"ok": false, "reason": "failed", "outcome": "failed"}')
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
