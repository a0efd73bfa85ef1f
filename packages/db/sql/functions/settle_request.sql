-- Gives a request of nobody that is under way its outcome, if it began at least "after_ms" ago; with 0 whenever that was.
-- Returns the outcome that stands, which is the first one: a recorded code without an outcome was sent. Null if there is no
-- such request.
CREATE OR REPLACE FUNCTION settle_request(with_request_id UUID, with_outcome TEXT, after_ms BIGINT) RETURNS TEXT
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    UPDATE request SET answer = jsonb_build_object('outcome', with_outcome)
    WHERE user_id = 0 AND request_id = with_request_id AND answer ->> 'outcome' = 'under_way'
        -- It is rounded to milliseconds, so half of one it may lie in the future.
        AND (after_ms = 0 OR date_created <= clock_timestamp() - after_ms * INTERVAL '1 millisecond');

    -- A new statement, so a new snapshot: it sees the answer that the update may have waited for.
    RETURN (
        SELECT coalesce(answer ->> 'outcome', 'sent') FROM request
        WHERE user_id = 0 AND request_id = with_request_id
    );
END
$$;
