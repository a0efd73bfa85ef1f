-- Says in which epoch the database is; called on every new connection, and now and then. In another history than the
-- known one a new epoch begins: once, however many cores notice at once. A core that dies in the middle has done
-- nothing but give ids away. "is_restored": an operator says that the history is another one.
CREATE OR REPLACE FUNCTION enter_epoch(
    known_epoch BIGINT, known_history TEXT, known_wal BIGINT, is_restored BOOLEAN
) RETURNS TABLE (epoch BIGINT, history TEXT, wal BIGINT, has_begun BOOLEAN)
LANGUAGE plpgsql VOLATILE
SET lock_timeout = 0
AS $$
#variable_conflict use_column
DECLARE
    actual_history TEXT;
    actual_wal BIGINT;
    outcome TEXT;
    begun BIGINT;
BEGIN
    IF pg_is_in_recovery() THEN
        RAISE EXCEPTION 'the database is a standby' USING ERRCODE = 'read_only_sql_transaction';
    END IF;
    actual_history := history_identity();
    actual_wal := wal_position();
    outcome := compare_history(known_epoch, known_history, known_wal, actual_history, actual_wal);

    IF is_restored OR outcome IS DISTINCT FROM 'same' THEN
        INSERT INTO database_epoch (name) VALUES ('database') ON CONFLICT DO NOTHING;
        PERFORM FROM database_epoch e WHERE e.name = 'database' FOR UPDATE;
        -- Again: another core may have done it while this one waited for the lock.
        outcome := compare_history(known_epoch, known_history, known_wal, actual_history, actual_wal);
        IF is_restored OR outcome = 'another' THEN
            SELECT greatest(e.epoch + 1, known_epoch + 1, floor(extract(epoch FROM clock_timestamp()) * 1000))
            INTO begun FROM database_epoch e WHERE e.name = 'database';
            -- Before the epoch is known: a core that sees it draws ids beyond all that were ever given.
            PERFORM skip_ids('message_id_seq', (SELECT max(m.id) FROM message m), begun),
                skip_ids(pg_get_serial_sequence('"group"', 'id'), (SELECT max(g.id) FROM "group" g), begun),
                skip_ids(pg_get_serial_sequence('"user"', 'id'), (SELECT max(u.id) FROM "user" u), begun);
        END IF;
        IF is_restored OR outcome <> 'same' THEN
            UPDATE database_epoch e
            SET epoch = coalesce(begun, e.epoch), history = actual_history,
                written_by = pg_current_xact_id()::text::bigint
            WHERE e.name = 'database';
        END IF;
    END IF;

    RETURN QUERY SELECT e.epoch, actual_history, actual_wal, begun IS NOT NULL
    FROM database_epoch e WHERE e.name = 'database';
END
$$;
