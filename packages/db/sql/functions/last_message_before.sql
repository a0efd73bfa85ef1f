-- The greatest seq between two that is of a message older than a moment; null if there is none, or no moment. Within
-- a group dates grow with seq, so it looks at few of them.
CREATE OR REPLACE FUNCTION last_message_before(
    of_group_id BIGINT, first_seq BIGINT, last_seq BIGINT, moment TIMESTAMPTZ
) RETURNS BIGINT
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    low BIGINT := first_seq - 1;
    high BIGINT := last_seq;
    middle BIGINT;
    is_older BOOLEAN;
BEGIN
    WHILE low < high AND moment IS NOT NULL LOOP
        middle := (low + high + 1) / 2;
        SELECT x.date_created < moment INTO is_older
        FROM message x WHERE x.group_id = of_group_id AND x.seq >= middle
        ORDER BY x.seq LIMIT 1;
        IF is_older THEN
            low := middle;
        ELSE
            high := middle - 1;
        END IF;
    END LOOP;
    RETURN CASE WHEN low >= first_seq THEN low END;
END
$$;
