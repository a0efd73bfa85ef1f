-- Puts what the provider found out about a code into effect, unless the request has another answer by now: a right code
-- becomes the credential, and uses its challenge up. Returns the outcome that stands.
CREATE OR REPLACE FUNCTION verification_finish_check(
    with_request_id UUID, on_connection_id UUID, for_sid TEXT, with_outcome TEXT, with_credential_hash BYTEA
) RETURNS TEXT
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    earlier TEXT;
BEGIN
    SELECT answer ->> 'outcome' INTO earlier FROM request
    WHERE user_id = 0 AND request_id = with_request_id FOR UPDATE;
    IF earlier IS DISTINCT FROM 'under_way' THEN
        RETURN earlier;
    END IF;

    IF with_outcome = 'right' THEN
        DELETE FROM verification_challenge c
        WHERE c.connection_id = on_connection_id AND c.sid = for_sid AND c.code_hash IS NULL;

        INSERT INTO "user" (sid, credential_hash)
        VALUES (for_sid, with_credential_hash)
        ON CONFLICT (sid) DO UPDATE SET credential_hash = excluded.credential_hash;
    END IF;

    PERFORM answer_request(0, with_request_id, jsonb_build_object('outcome', with_outcome));
    RETURN with_outcome;
END
$$;
