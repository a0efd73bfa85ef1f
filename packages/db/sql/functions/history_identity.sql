-- What tells this history from others, as far as the database knows itself: the cluster (another one after a dump
-- was restored elsewhere), the timeline of its write-ahead log (another one after every promotion and every
-- recovery to a point in time), the database, and the table (others when a restore made them).
-- An ordinary user may read all of it. What a host forbids does not count.
CREATE OR REPLACE FUNCTION history_identity() RETURNS TEXT
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
