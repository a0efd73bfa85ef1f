-- A provider outside is asked between two transactions. The first one says so in the request's answer, the second one
-- puts the outcome there: whoever runs the request again meanwhile waits for it.

-- Answers a request of nobody that is under way, if it began at least so long ago. Returns the answer that stands: its
-- first one, whoever gave it; null if there is no such request.
CREATE FUNCTION settle_request(with_request_id UUID, with_answer JSONB, after_ms BIGINT) RETURNS JSONB
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    UPDATE request SET answer = with_answer
    WHERE user_id = 0 AND request_id = with_request_id AND answer ->> 'verdict' = 'under_way'
        AND date_created <= clock_timestamp() - after_ms * INTERVAL '1 millisecond';

    -- A new statement, so a new snapshot: it sees the answer that the update may have waited for.
    RETURN (SELECT answer FROM request WHERE user_id = 0 AND request_id = with_request_id);
END
$$;

-- Judges whether the provider may be asked about a code for the latest challenge of a connection, and counts it as an
-- attempt: so no challenge has more of them, however many are under way at once. Returns 'begun', or the verdict that
-- stands, or 'under_way' if another run of this request has begun.
CREATE FUNCTION begin_check(
    with_request_id UUID, on_connection_id UUID, for_sid TEXT, attempts_max INTEGER
) RETURNS TEXT
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    standing JSONB;
    challenge verification_challenge%ROWTYPE;
    verdict TEXT;
BEGIN
    standing := begin_request(0, with_request_id, false, 'submit_challenge');
    IF standing IS NOT NULL THEN
        RETURN standing ->> 'verdict';
    END IF;

    SELECT * INTO challenge FROM verification_challenge c
    WHERE c.connection_id = on_connection_id FOR UPDATE;

    IF NOT FOUND OR challenge.code_hash IS NOT NULL OR challenge.sid <> for_sid THEN
        verdict := 'none';
    ELSIF challenge.date_expires <= clock_timestamp() THEN
        verdict := 'expired';
    ELSIF challenge.attempts >= attempts_max THEN
        verdict := 'too_many';
    ELSE
        verdict := 'under_way';
        UPDATE verification_challenge c SET attempts = c.attempts + 1
        WHERE c.connection_id = on_connection_id;
    END IF;

    PERFORM answer_request(0, with_request_id, jsonb_build_object('verdict', verdict));
    RETURN CASE verdict WHEN 'under_way' THEN 'begun' ELSE verdict END;
END
$$;

-- Puts the provider's verdict on a code into effect, unless the request has been answered otherwise meanwhile: a right
-- code becomes the credential, and uses its challenge up. Returns the verdict that stands.
CREATE FUNCTION finish_check(
    with_request_id UUID, on_connection_id UUID, for_sid TEXT, with_verdict TEXT, with_credential_hash BYTEA
) RETURNS TEXT
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    standing TEXT;
BEGIN
    SELECT answer ->> 'verdict' INTO standing FROM request
    WHERE user_id = 0 AND request_id = with_request_id FOR UPDATE;
    IF standing IS DISTINCT FROM 'under_way' THEN
        RETURN standing;
    END IF;

    IF with_verdict = 'right' THEN
        DELETE FROM verification_challenge c
        WHERE c.connection_id = on_connection_id AND c.sid = for_sid AND c.code_hash IS NULL;

        INSERT INTO "user" (sid, credential_hash)
        VALUES (for_sid, with_credential_hash)
        ON CONFLICT (sid) DO UPDATE SET credential_hash = excluded.credential_hash;
    END IF;

    PERFORM answer_request(0, with_request_id, jsonb_build_object('verdict', with_verdict));
    RETURN with_verdict;
END
$$;
