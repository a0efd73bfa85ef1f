-- For cores of the release before, which know no tokens; verification_compare_code took its place.
CREATE OR REPLACE FUNCTION verification_submit_code(
    with_request_id UUID, on_connection_id UUID, with_code_hash BYTEA, with_credential_hash BYTEA,
    attempts_max INTEGER
) RETURNS TEXT
LANGUAGE sql VOLATILE
AS $$
    SELECT verification_compare_code(
        with_request_id, on_connection_id, ARRAY[with_code_hash], with_credential_hash, NULL, NULL, attempts_max)
        ->> 'outcome'
$$;
