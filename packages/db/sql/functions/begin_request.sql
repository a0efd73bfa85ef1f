-- Begins a changing request. Returns null when this is its first run: the caller goes on and ends with
-- answer_request. Otherwise it returns the answer that stands: the first run's, or {"ok": false, "reason": "id_used"}.
-- It waits for a first run that has not ended. A refusal is an answer too.
CREATE OR REPLACE FUNCTION begin_request(
    by_user_id BIGINT, with_request_id UUID, is_repeatable BOOLEAN, with_fingerprint TEXT
) RETURNS JSONB
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    earlier request%ROWTYPE;
BEGIN
    -- The client chose this id, and may have used it for a message. This comes first: nothing is to be undone then.
    IF is_repeatable AND EXISTS (
        SELECT FROM message WHERE sender_id = by_user_id AND request_id = with_request_id
    ) THEN
        RETURN '{"ok": false, "reason": "id_used"}';
    END IF;

    LOOP
        INSERT INTO request (user_id, request_id, fingerprint)
        VALUES (by_user_id, with_request_id, with_fingerprint)
        ON CONFLICT DO NOTHING;
        IF FOUND THEN
            RETURN NULL;
        END IF;

        -- A new statement, so a new snapshot: it sees the row that the insert may have waited for. If an old one has
        -- just been deleted, this run is a first one.
        SELECT * INTO earlier FROM request
        WHERE user_id = by_user_id AND request_id = with_request_id;
        EXIT WHEN FOUND;
    END LOOP;

    IF earlier.fingerprint <> with_fingerprint THEN
        RETURN '{"ok": false, "reason": "id_used"}';
    END IF;
    RETURN earlier.answer;
END
$$;
