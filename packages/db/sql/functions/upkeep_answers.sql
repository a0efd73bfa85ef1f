-- Deletes the next portion of the answers that are too old to be repeated: of the signed-in users' requests, so many blocks of
-- the table, whatever is in them; and tombstones of sends, the oldest ones. Requests of nobody have a shorter life, and
-- an index. These need none: the table is walked from its first block to its last, which the next pass begins again.
-- "is_over": nothing more is to be done now.
CREATE OR REPLACE FUNCTION upkeep_answers(kept_ms BIGINT, every_ms BIGINT, blocks_max BIGINT)
RETURNS TABLE (is_over BOOLEAN, answers BIGINT, tombstones BIGINT)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    first_block BIGINT := upkeep_begin('answers', every_ms);
    next_block BIGINT := first_block + blocks_max;
    old TIMESTAMPTZ := clock_timestamp() - kept_ms * INTERVAL '1 millisecond';
    first_row TID := format('(%s,0)', first_block);
    next_row TID := format('(%s,0)', next_block);
    tombstones_max CONSTANT INTEGER := 1000;
BEGIN
    is_over := true;
    answers := 0;
    tombstones := 0;
    IF first_block IS NULL THEN
        RETURN NEXT;
        RETURN;
    END IF;

    -- "<>", which no index answers.
    DELETE FROM request r
    WHERE r.ctid >= first_row AND r.ctid < next_row AND r.user_id <> 0 AND r.date_created < old;
    GET DIAGNOSTICS answers = ROW_COUNT;

    -- Their seqs are ids, so they grow with time.
    DELETE FROM message m
    WHERE m.id = ANY (ARRAY(
        SELECT t.id FROM (
            SELECT x.id, x.date_created FROM message x WHERE x.group_id = 0 ORDER BY x.seq LIMIT tombstones_max
        ) t
        WHERE t.date_created < old));
    GET DIAGNOSTICS tombstones = ROW_COUNT;

    is_over := next_block * current_setting('block_size')::BIGINT >= pg_relation_size('request')
        AND tombstones < tombstones_max;
    UPDATE upkeep u
    SET place = CASE WHEN NOT is_over THEN next_block END
    WHERE u.name = 'answers';
    RETURN NEXT;
END
$$;
