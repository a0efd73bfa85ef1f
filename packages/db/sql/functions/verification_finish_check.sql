-- For cores of the release before, which know no tokens; verification_end_check took its place.
CREATE OR REPLACE FUNCTION verification_finish_check(
    with_request_id UUID, on_connection_id UUID, for_sid TEXT, with_outcome TEXT, with_credential_hash BYTEA
) RETURNS TEXT
LANGUAGE sql VOLATILE
AS $$
    SELECT verification_end_check(
        with_request_id, on_connection_id, for_sid, with_outcome, with_credential_hash, NULL, NULL) ->> 'outcome'
$$;
