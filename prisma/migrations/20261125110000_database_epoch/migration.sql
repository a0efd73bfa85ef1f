-- A database that came back older: a standby that was promoted before it had everything, a restored backup.
-- What gateways and clients remember of the lost history must not meet what is stored in the new one, so each
-- history that lost something has an epoch of its own, and ids that were given once are never given again.

-- One row: in which history it was written. No core has been here yet while "history" is null.
CREATE TABLE "database_epoch" (
    "name" TEXT NOT NULL,
    -- 0 at first, then milliseconds since 1970 at the change: it grows, also where an earlier change was lost.
    "epoch" BIGINT NOT NULL DEFAULT 0,
    "history" TEXT,
    -- The transaction that wrote the row. A restored row was copied by another one.
    "written_by" BIGINT,

    CONSTRAINT "database_epoch_pkey" PRIMARY KEY ("name")
);

INSERT INTO "database_epoch" ("name") VALUES ('database');

-- What tells this history from others, as far as the database knows itself: the cluster (another one after a dump
-- was restored elsewhere), the timeline of its write-ahead log (another one after every promotion and every
-- recovery to a point in time), the database, and the table (others when they were made again by a restore).
-- An ordinary user may ask all of it. What a host forbids does not count.
CREATE FUNCTION history_identity() RETURNS TEXT
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    cluster TEXT := '?';
    timeline TEXT := '?';
BEGIN
    BEGIN
        SELECT c.system_identifier INTO cluster FROM pg_control_system() c;
    EXCEPTION WHEN insufficient_privilege OR undefined_function OR feature_not_supported THEN
    END;
    BEGIN
        -- Not from pg_control_checkpoint(): after a promotion it has the old timeline until a checkpoint is done.
        timeline := left(pg_walfile_name(pg_current_wal_lsn()), 8);
    EXCEPTION WHEN insufficient_privilege OR undefined_function OR feature_not_supported THEN
    END;
    RETURN concat_ws('/', cluster, timeline,
        (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()),
        'database_epoch'::regclass::oid);
END
$$;

-- How far the write-ahead log is written durably, in bytes: it never goes back within a history. Null: forbidden.
CREATE FUNCTION wal_position() RETURNS BIGINT
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RETURN pg_current_wal_flush_lsn() - '0/0'::pg_lsn;
EXCEPTION WHEN insufficient_privilege OR undefined_function OR feature_not_supported THEN
    RETURN NULL;
END
$$;

-- 'same'; 'unclaimed': nobody has been here yet; 'another': something that somebody has seen is gone.
-- "known_...": what the caller has seen, or heard of, before it asks; nulls if nothing.
CREATE FUNCTION judge_history(
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
        -- Somebody else began a new epoch since: what the caller knows is of the history before.
        WHEN e.epoch > known_epoch THEN 'same'
        WHEN known_history <> actual_history THEN 'another'
        -- A copy of the files from earlier: nothing in it can tell.
        WHEN actual_wal < known_wal THEN 'another'
        ELSE 'same'
    END
    FROM database_epoch e WHERE e.name = 'database'
);

-- To be called on every new connection, and now and then: in which epoch the database is. In another history than
-- the one that was known a new epoch begins, once, whoever notices and however many at once; whoever dies in the
-- middle has done nothing but give ids away. "is_restored": somebody says that it is another one.
CREATE FUNCTION enter_epoch(
    known_epoch BIGINT, known_history TEXT, known_wal BIGINT, is_restored BOOLEAN
) RETURNS TABLE (epoch BIGINT, history TEXT, wal BIGINT, has_begun BOOLEAN)
LANGUAGE plpgsql VOLATILE
AS $$
#variable_conflict use_column
DECLARE
    actual_history TEXT;
    actual_wal BIGINT;
    verdict TEXT;
    begun BIGINT;
BEGIN
    IF pg_is_in_recovery() THEN
        RAISE EXCEPTION 'the database is a standby' USING ERRCODE = 'read_only_sql_transaction';
    END IF;
    actual_history := history_identity();
    actual_wal := wal_position();
    verdict := judge_history(known_epoch, known_history, known_wal, actual_history, actual_wal);

    IF is_restored OR verdict IS DISTINCT FROM 'same' THEN
        INSERT INTO database_epoch (name) VALUES ('database') ON CONFLICT DO NOTHING;
        PERFORM FROM database_epoch e WHERE e.name = 'database' FOR UPDATE;
        -- Again: another core may have done it while this one waited for the lock.
        verdict := judge_history(known_epoch, known_history, known_wal, actual_history, actual_wal);
        IF is_restored OR verdict = 'another' THEN
            SELECT greatest(e.epoch + 1, known_epoch + 1, floor(extract(epoch FROM clock_timestamp()) * 1000))
            INTO begun FROM database_epoch e WHERE e.name = 'database';
            -- Before the epoch is known: whoever sees it draws ids beyond all that were ever given.
            PERFORM skip_ids('message_id_seq', (SELECT max(m.id) FROM message m), begun),
                skip_ids(pg_get_serial_sequence('"group"', 'id'), (SELECT max(g.id) FROM "group" g), begun),
                skip_ids(pg_get_serial_sequence('"user"', 'id'), (SELECT max(u.id) FROM "user" u), begun);
        END IF;
        IF is_restored OR verdict <> 'same' THEN
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

-- Has a sequence go on beyond all that it ever gave, also in a history that is lost. Nothing that could be lost says
-- how far that was, so the clock does: a million ids for each second since 2020 are more than anybody has given,
-- before the first change (ids count from 1) and between two. With a clock that went back, or ids that are ahead
-- of it: a thousand million beyond what is there. That leads to 2^53, where JavaScript ends, in the year 2305.
CREATE FUNCTION skip_ids(of_sequence TEXT, highest BIGINT, begun BIGINT) RETURNS BIGINT
LANGUAGE sql VOLATILE
RETURN setval(of_sequence::regclass, greatest(
    (begun - 1577836800000) * 1000,
    greatest(highest, nextval(of_sequence::regclass)) + 1000000000));
