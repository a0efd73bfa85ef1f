-- Checks a code that we made against the latest challenge of its connection, and returns the answer: begin and end of a
-- check in one transaction. "with_code_hashes": the code under each of the keys in force.
CREATE OR REPLACE FUNCTION verification_compare_code(
    with_request_id UUID, on_connection_id UUID, with_code_hashes BYTEA[], with_credential_hash BYTEA,
    with_token_hash BYTEA, with_key TEXT, attempts_max INTEGER
) RETURNS JSONB
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    outcome TEXT;
    right_sid TEXT;
BEGIN
    -- A submission on a connection that requested no code leaves no row.
    IF NOT EXISTS (SELECT FROM verification_challenge c WHERE c.connection_id = on_connection_id)
        AND NOT EXISTS (SELECT FROM request r WHERE r.user_id = 0 AND r.request_id = with_request_id)
    THEN
        RETURN '{"outcome": "none"}';
    END IF;

    outcome := verification_begin_check(with_request_id, on_connection_id, NULL, attempts_max);
    IF outcome <> 'begun' THEN
        RETURN coalesce(
            (SELECT r.answer FROM request r WHERE r.user_id = 0 AND r.request_id = with_request_id),
            jsonb_build_object('outcome', outcome));
    END IF;

    DELETE FROM verification_challenge c
    WHERE c.connection_id = on_connection_id AND c.code_hash = ANY(with_code_hashes)
    RETURNING c.sid INTO right_sid;
    outcome := CASE WHEN right_sid IS NULL THEN 'wrong' ELSE 'right' END;
    RETURN verification_end_check(
        with_request_id, on_connection_id, right_sid, outcome, with_credential_hash, with_token_hash, with_key);
END
$$;
