-- The three changes of a group (group_create, group_add_member, group_leave) are one transaction each. It locks, then
-- writes, then reads, in statements of their own: in a VOLATILE function every statement has a new snapshot, so the
-- returned state contains all that was committed while the function waited for a lock. The order of row locks: the
-- request, users by sid, the pair, the group. "state" is null where nobody needs to receive it, and where the caller has to
-- read it after the commit, see small_group_state.
CREATE OR REPLACE FUNCTION group_create(
    by_user_id BIGINT, with_request_id UUID, is_repeatable BOOLEAN, with_fingerprint TEXT,
    with_name TEXT, with_sids TEXT[]
) RETURNS TABLE (answer JSONB, state JSON)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    members BIGINT[];
    pair TEXT;
    chosen_id BIGINT;
BEGIN
    answer := begin_request(by_user_id, with_request_id, is_repeatable, with_fingerprint);
    IF answer IS NULL THEN
        INSERT INTO "user" (sid)
        SELECT DISTINCT s.sid COLLATE "C" AS sid
        FROM unnest(with_sids) AS s(sid)
        WHERE NOT EXISTS (SELECT FROM "user" u WHERE u.sid = s.sid COLLATE "C")
        ORDER BY 1
        ON CONFLICT (sid) DO NOTHING;

        SELECT array_agg(u.id ORDER BY u.id) INTO members
        FROM "user" u WHERE u.sid = ANY (with_sids);

        IF cardinality(members) = 2 THEN
            pair := members[1] || ':' || members[2];
            PERFORM pg_advisory_xact_lock(hashtextextended('direct message ' || pair, 0));
            -- The lock on the row waits for a LEAVE that has not ended, and then looks at "closed" again.
            SELECT g.id INTO chosen_id FROM "group" g
            WHERE g.direct_key = pair AND NOT g.closed FOR SHARE;
        END IF;

        IF chosen_id IS NULL THEN
            INSERT INTO "group" (name, is_direct_message, direct_key, date_created)
            VALUES (with_name, pair IS NOT NULL, pair, clock_timestamp())
            RETURNING id INTO chosen_id;

            INSERT INTO group_member (group_id, user_id, joined_seq)
            SELECT chosen_id, m.user_id, 0 FROM unnest(members) AS m(user_id) ORDER BY m.user_id;
        END IF;

        answer := answer_request(by_user_id, with_request_id,
            jsonb_build_object('ok', true, 'group_id', chosen_id));
    END IF;

    state := small_group_state((answer ->> 'group_id')::BIGINT);
    RETURN NEXT;
END
$$;
