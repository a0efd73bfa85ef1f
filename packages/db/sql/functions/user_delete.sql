-- Takes its number and everything that could tell whose it was from a user who is in no group. The row stays, for the
-- messages that others have from it: under a sid of no country, with which nobody can sign in, ask for a code or be added.
-- Whoever verifies the number afterwards is a new user. Returns the version of having no credential; null while the user is in
-- a group, or if there is none.
CREATE OR REPLACE FUNCTION user_delete(of_user_id BIGINT) RETURNS BIGINT
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    old_sid TEXT;
BEGIN
    -- Waits for whoever is just adding the user to a group, and lets nobody do so until the end.
    SELECT u.sid INTO old_sid FROM "user" u WHERE u.id = of_user_id FOR UPDATE;
    IF EXISTS (SELECT FROM group_member m WHERE m.user_id = of_user_id) THEN
        RETURN NULL;
    END IF;
    DELETE FROM verification_challenge c WHERE c.sid = old_sid;
    UPDATE "user" u
    SET sid = '0.' || lpad(u.id::TEXT, greatest(4, length(u.id::TEXT)), '0'), date_created = clock_timestamp()
    WHERE u.id = of_user_id;
    UPDATE credential c SET networks = '{}', code_failures = 0 WHERE c.user_id = of_user_id;
    RETURN credential_end(of_user_id);
END
$$;
