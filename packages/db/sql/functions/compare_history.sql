-- 'same'; 'unclaimed': no core has been here yet; 'another': something that a core has seen is gone.
-- "known_...": what the caller has seen, or received from others, before it asks; nulls if nothing.
CREATE OR REPLACE FUNCTION compare_history(
    known_epoch BIGINT, known_history TEXT, known_wal BIGINT, actual_history TEXT, actual_wal BIGINT
) RETURNS TEXT
LANGUAGE sql STABLE
RETURN (
    SELECT CASE
        WHEN e.epoch < known_epoch THEN 'another'
        WHEN e.history IS NULL AND known_history IS NULL THEN 'unclaimed'
        WHEN e.history IS DISTINCT FROM actual_history THEN 'another'
        -- xmin is the lower half of the number.
        WHEN e.written_by & 4294967295 IS DISTINCT FROM e.xmin::text::bigint THEN 'another'
        -- Another core began a new epoch since: what the caller knows is of the history before.
        WHEN e.epoch > known_epoch THEN 'same'
        WHEN known_history <> actual_history THEN 'another'
        -- A copy of the files from earlier: nothing in it can tell.
        WHEN actual_wal < known_wal THEN 'another'
        ELSE 'same'
    END
    FROM database_epoch e WHERE e.name = 'database'
);
