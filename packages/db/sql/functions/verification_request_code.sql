-- Records that a code was requested, before a provider is asked to send one. The request is 'under_way' until
-- settle_request gives it its outcome. Returns false if this request ran before.
-- Nobody is signed in: these are requests of user 0, whose ids the caller derives from connection and request id.
CREATE OR REPLACE FUNCTION verification_request_code(
    with_request_id UUID, on_connection_id UUID, for_sid TEXT, with_code_hash BYTEA, ttl_ms BIGINT
) RETURNS BOOLEAN
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    IF begin_request(0, with_request_id, false, 'verification_request_code') IS NOT NULL THEN
        RETURN false;
    END IF;

    INSERT INTO verification_challenge AS c (connection_id, sid, code_hash, attempts, date_expires)
    VALUES (on_connection_id, for_sid, with_code_hash, 0,
        clock_timestamp() + ttl_ms * INTERVAL '1 millisecond')
    ON CONFLICT (connection_id) DO UPDATE
    SET sid = excluded.sid, code_hash = excluded.code_hash, attempts = 0,
        date_expires = excluded.date_expires;

    PERFORM answer_request(0, with_request_id, '{"outcome": "under_way"}');
    RETURN true;
END
$$;
