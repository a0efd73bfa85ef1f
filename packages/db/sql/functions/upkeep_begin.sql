-- Claims the next portion of a walk for this transaction, and returns where it begins: the caller does it, and writes where
-- the next one begins. Null: another core is at it, or the last pass began less than so long ago and has ended.
CREATE OR REPLACE FUNCTION upkeep_begin(of_walk TEXT, every_ms BIGINT) RETURNS BIGINT
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    walk upkeep%ROWTYPE;
BEGIN
    SELECT * INTO walk FROM upkeep u
    WHERE u.name = of_walk
        AND (u.place IS NOT NULL OR u.date_begun IS NULL
            OR u.date_begun <= clock_timestamp() - every_ms * INTERVAL '1 millisecond')
    FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF walk.place IS NULL THEN
        UPDATE upkeep u SET date_begun = clock_timestamp() WHERE u.name = of_walk;
    END IF;
    RETURN coalesce(walk.place, 0);
END
$$;
