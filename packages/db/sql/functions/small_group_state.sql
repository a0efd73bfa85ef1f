-- The state of a group, or null if it has more than 500 members: making it takes long then, and the locks of the
-- transaction are held meanwhile. The caller reads it after the commit.
CREATE OR REPLACE FUNCTION small_group_state(of_group_id BIGINT) RETURNS JSON
LANGUAGE sql STABLE
RETURN (
    SELECT CASE WHEN count(*) <= 500 THEN group_state(of_group_id) END
    FROM (SELECT FROM group_member m WHERE m.group_id = of_group_id LIMIT 501) few
);
