-- Deletes the next portion of old messages, group after group, oldest first: those that all members have acknowledged
-- and that are older than retention_ms; and with undelivered_ms, those that are older than that, whoever has not
-- acknowledged them. Then their members' cursors go on behind them, so that no seq is missing for anybody. Within a group
-- dates grow with seq, and what everybody has acknowledged ends at a seq: what goes is always the beginning of what is there.
-- A member who is added meanwhile gets what comes after the last seq of the group, so nothing of this.
-- "expired": how many deliveries will never happen, each message counted for each member who lacked it.
CREATE OR REPLACE FUNCTION upkeep_messages(
    retention_ms BIGINT, undelivered_ms BIGINT, every_ms BIGINT, groups_max BIGINT, messages_max BIGINT
) RETURNS TABLE (is_over BOOLEAN, messages BIGINT, expired BIGINT)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    retained TIMESTAMPTZ := clock_timestamp() - retention_ms * INTERVAL '1 millisecond';
    undelivered TIMESTAMPTZ := clock_timestamp() - undelivered_ms * INTERVAL '1 millisecond';
    after_id BIGINT := upkeep_begin('messages', every_ms);
    page_end BIGINT;
    page_groups BIGINT;
    next_id BIGINT;
    oldest RECORD;
    acknowledged BIGINT;
    portion_end BIGINT;
    through BIGINT;
    amount BIGINT;
BEGIN
    is_over := true;
    messages := 0;
    expired := 0;
    IF after_id IS NULL THEN
        RETURN NEXT;
        RETURN;
    END IF;

    SELECT max(g.id), count(*) INTO page_end, page_groups
    FROM (SELECT g.id FROM "group" g WHERE g.id > after_id ORDER BY g.id LIMIT groups_max) g;
    next_id := CASE WHEN page_groups = groups_max THEN page_end END;

    FOR oldest IN
        SELECT g.id AS group_id, x.seq FROM "group" g
        CROSS JOIN LATERAL (
            SELECT x.seq, x.date_created FROM message x WHERE x.group_id = g.id ORDER BY x.seq LIMIT 1
        ) x
        WHERE g.id > after_id AND g.id <= page_end AND x.date_created < retained
        ORDER BY g.id
    LOOP
        -- Null: nobody is in the group any more.
        SELECT min(greatest(m.delivered_seq, m.joined_seq)) INTO acknowledged
        FROM group_member m WHERE m.group_id = oldest.group_id;
        portion_end := oldest.seq + messages_max - messages - 1;
        through := greatest(
            last_message_before(oldest.group_id, oldest.seq, least(acknowledged, portion_end), retained),
            last_message_before(oldest.group_id, oldest.seq, portion_end, undelivered));
        CONTINUE WHEN through IS NULL;

        IF through > acknowledged THEN
            -- Locked in the order of their keys, as cursors are.
            WITH behind AS MATERIALIZED (
                SELECT m.user_id, through - greatest(m.delivered_seq, m.joined_seq) AS lacking
                FROM group_member m
                WHERE m.group_id = oldest.group_id AND greatest(m.delivered_seq, m.joined_seq) < through
                ORDER BY m.user_id
                FOR NO KEY UPDATE OF m
            ),
            raised AS (
                UPDATE group_member m SET delivered_seq = greatest(m.delivered_seq, through)
                FROM behind b
                WHERE m.group_id = oldest.group_id AND m.user_id = b.user_id
            )
            SELECT expired + coalesce(sum(b.lacking), 0) INTO expired FROM behind b;
        END IF;

        DELETE FROM message x WHERE x.group_id = oldest.group_id AND x.seq <= through;
        GET DIAGNOSTICS amount = ROW_COUNT;
        messages := messages + amount;
        IF through = portion_end THEN
            -- The portion is full, and this group may have more.
            next_id := oldest.group_id - 1;
            EXIT;
        END IF;
    END LOOP;

    is_over := next_id IS NULL;
    UPDATE upkeep u SET place = next_id WHERE u.name = 'messages';
    RETURN NEXT;
END
$$;
