-- A date as the protocol writes it: ISO 8601, UTC, milliseconds.
CREATE OR REPLACE FUNCTION wire_date(moment TIMESTAMPTZ) RETURNS TEXT
LANGUAGE sql STABLE PARALLEL SAFE
RETURN to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
