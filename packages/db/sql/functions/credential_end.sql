-- Leaves a user without a credential: nobody can sign in as them until the number is verified again. Returns the version
-- of having none, for whoever closes the sessions of the one before; null if there is no such user.
CREATE OR REPLACE FUNCTION credential_end(of_user_id BIGINT) RETURNS BIGINT
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    new_version BIGINT;
BEGIN
    UPDATE "user" u SET credential_hash = NULL WHERE u.id = of_user_id;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    INSERT INTO credential AS c (user_id, version)
    VALUES (of_user_id, 1)
    ON CONFLICT (user_id) DO UPDATE
    SET version = c.version + 1, token_hash = NULL, date_created = clock_timestamp()
    RETURNING c.version INTO new_version;
    RETURN new_version;
END
$$;
