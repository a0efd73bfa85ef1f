-- Checks a code that we made against the latest challenge of its connection, and returns the outcome: begin and finish
-- of a check in one transaction.
CREATE OR REPLACE FUNCTION verification_submit_code(
    with_request_id UUID, on_connection_id UUID, with_code_hash BYTEA, with_credential_hash BYTEA,
    attempts_max INTEGER
) RETURNS TEXT
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
        RETURN 'none';
    END IF;

    outcome := verification_begin_check(with_request_id, on_connection_id, NULL, attempts_max);
    IF outcome <> 'begun' THEN
        RETURN outcome;
    END IF;

    DELETE FROM verification_challenge c
    WHERE c.connection_id = on_connection_id AND c.code_hash = with_code_hash
    RETURNING c.sid INTO right_sid;
    outcome := CASE WHEN right_sid IS NULL THEN 'wrong' ELSE 'right' END;
    RETURN verification_finish_check(
        with_request_id, on_connection_id, right_sid, outcome, with_credential_hash);
END
$$;
