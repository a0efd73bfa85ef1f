-- Gives a send up: no run of it, however late, can store its message. A tombstone, a row of "message" in group 0, which
-- no group is, takes the message's place under (sender_id, request_id). A run that has inserted its message and not
-- committed yet, whatever its commit waits for, is waited for, longer than the session waits for locks. Returns whether
-- there is no message under the id.
CREATE OR REPLACE FUNCTION refuse_send(by_user_id BIGINT, with_request_id UUID) RETURNS BOOLEAN
LANGUAGE plpgsql VOLATILE
SET lock_timeout = 0
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
