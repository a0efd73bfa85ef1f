-- Puts what was found out about a code into effect, unless the request has another answer by now: a right code becomes
-- the credential together with its token, and uses its challenge up. The count of wrong guesses stays: a new code does
-- not reset it. "with_key" names the key from which the token is made, for a second run. Returns the answer that stands.
CREATE OR REPLACE FUNCTION verification_end_check(
    with_request_id UUID, on_connection_id UUID, for_sid TEXT, with_outcome TEXT, with_credential_hash BYTEA,
    with_token_hash BYTEA, with_key TEXT
) RETURNS JSONB
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    earlier JSONB;
    of_user_id BIGINT;
    new_version BIGINT;
    answer JSONB := jsonb_build_object('outcome', with_outcome);
BEGIN
    SELECT r.answer INTO earlier FROM request r
    WHERE r.user_id = 0 AND r.request_id = with_request_id FOR UPDATE;
    IF earlier ->> 'outcome' IS DISTINCT FROM 'under_way' THEN
        RETURN earlier;
    END IF;

    IF with_outcome = 'right' THEN
        DELETE FROM verification_challenge c
        WHERE c.connection_id = on_connection_id AND c.sid = for_sid AND c.code_hash IS NULL;

        INSERT INTO "user" (sid, credential_hash)
        VALUES (for_sid, with_credential_hash)
        ON CONFLICT (sid) DO UPDATE SET credential_hash = excluded.credential_hash
        RETURNING id INTO of_user_id;

        INSERT INTO credential AS c (user_id, version, token_hash)
        VALUES (of_user_id, 1, with_token_hash)
        ON CONFLICT (user_id) DO UPDATE
        SET version = c.version + 1, token_hash = excluded.token_hash, date_created = clock_timestamp()
        RETURNING c.version INTO new_version;

        answer := answer || jsonb_build_object(
            'user_id', of_user_id, 'version', new_version, 'sid', for_sid, 'key', with_key);
    END IF;

    RETURN answer_request(0, with_request_id, answer);
END
$$;
