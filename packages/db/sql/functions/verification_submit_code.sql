-- Checks a code that we made against the latest challenge of its connection, and returns the outcome. A right code
-- becomes the credential, and uses the challenge up.
CREATE OR REPLACE FUNCTION verification_submit_code(
    with_request_id UUID, on_connection_id UUID, with_code_hash BYTEA, with_credential_hash BYTEA,
    attempts_max INTEGER
) RETURNS TEXT
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    earlier JSONB;
    challenge verification_challenge%ROWTYPE;
    outcome TEXT;
BEGIN
    -- A submission on a connection that requested no code leaves no row.
    IF NOT EXISTS (SELECT FROM verification_challenge c WHERE c.connection_id = on_connection_id)
        AND NOT EXISTS (SELECT FROM request r WHERE r.user_id = 0 AND r.request_id = with_request_id)
    THEN
        RETURN 'none';
    END IF;

    earlier := begin_request(0, with_request_id, false, 'verification_submit_code');
    IF earlier IS NOT NULL THEN
        RETURN earlier ->> 'outcome';
    END IF;

    SELECT * INTO challenge FROM verification_challenge c
    WHERE c.connection_id = on_connection_id FOR UPDATE;

    IF NOT FOUND THEN
        outcome := 'none';
    ELSIF challenge.date_expires <= clock_timestamp() THEN
        outcome := 'expired';
    ELSIF challenge.attempts >= attempts_max THEN
        outcome := 'too_many';
    ELSIF challenge.code_hash IS DISTINCT FROM with_code_hash THEN
        outcome := 'wrong';
        UPDATE verification_challenge c SET attempts = c.attempts + 1
        WHERE c.connection_id = on_connection_id;
    ELSE
        outcome := 'right';
        INSERT INTO "user" (sid, credential_hash)
        VALUES (challenge.sid, with_credential_hash)
        ON CONFLICT (sid) DO UPDATE SET credential_hash = excluded.credential_hash;
        DELETE FROM verification_challenge c WHERE c.connection_id = on_connection_id;
    END IF;

    PERFORM answer_request(0, with_request_id, jsonb_build_object('outcome', outcome));
    RETURN outcome;
END
$$;
