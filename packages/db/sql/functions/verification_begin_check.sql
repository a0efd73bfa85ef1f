-- A code that a provider keeps is checked between two transactions: this one, and verification_finish_check. A second
-- run of the request that comes in between waits for the outcome.
-- This one decides whether the provider may be asked about a code for the latest challenge of a connection, and counts
-- an attempt: no challenge has more of them, however many requests run at once. Returns 'begun', or the outcome that
-- stands, or 'under_way' if another run of this request has begun. "for_sid" null: for a code that we made.
CREATE OR REPLACE FUNCTION verification_begin_check(
    with_request_id UUID, on_connection_id UUID, for_sid TEXT, attempts_max INTEGER
) RETURNS TEXT
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    earlier JSONB;
    challenge verification_challenge%ROWTYPE;
    outcome TEXT;
BEGIN
    earlier := begin_request(0, with_request_id, false, 'verification_submit_code');
    IF earlier IS NOT NULL THEN
        RETURN earlier ->> 'outcome';
    END IF;

    SELECT * INTO challenge FROM verification_challenge c
    WHERE c.connection_id = on_connection_id FOR UPDATE;

    IF NOT FOUND OR (for_sid IS NOT NULL AND (challenge.code_hash IS NOT NULL OR challenge.sid <> for_sid)) THEN
        outcome := 'none';
    ELSIF challenge.date_expires <= clock_timestamp() THEN
        outcome := 'expired';
    ELSIF challenge.attempts >= attempts_max THEN
        outcome := 'too_many';
    ELSE
        outcome := 'under_way';
        UPDATE verification_challenge c SET attempts = c.attempts + 1
        WHERE c.connection_id = on_connection_id;
    END IF;

    PERFORM answer_request(0, with_request_id, jsonb_build_object('outcome', outcome));
    RETURN CASE outcome WHEN 'under_way' THEN 'begun' ELSE outcome END;
END
$$;
