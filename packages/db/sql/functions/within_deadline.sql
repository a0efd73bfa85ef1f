-- Returns true before the deadline; null is no deadline. After it the whole statement fails, and nothing of it is kept.
-- Called behind the statement's locks: then a core that was frozen, or a statement that waited, comes too late.
CREATE OR REPLACE FUNCTION within_deadline(deadline TIMESTAMPTZ) RETURNS BOOLEAN
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    IF clock_timestamp() > deadline THEN
        RAISE EXCEPTION 'the deadline has passed' USING ERRCODE = 'HG001';
    END IF;
    RETURN true;
END
$$;
