-- How far the write-ahead log is written durably, in bytes: it never goes back within a history. Null where a host
-- forbids the question.
CREATE OR REPLACE FUNCTION wal_position() RETURNS BIGINT
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RETURN pg_current_wal_flush_lsn() - '0/0'::pg_lsn;
EXCEPTION WHEN insufficient_privilege OR undefined_function OR feature_not_supported THEN
    RETURN NULL;
END
$$;
