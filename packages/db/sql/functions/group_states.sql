-- The states of these groups, in their order, for as long as they have no more than so many bytes together: one at least.
-- `ord` is the place of each among the groups, from 1. An unknown group has no state.
CREATE OR REPLACE FUNCTION group_states(of_group_ids BIGINT[], bytes_max BIGINT)
RETURNS TABLE (ord INTEGER, state JSON)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    bytes BIGINT := 0;
BEGIN
    FOR place IN 1 .. cardinality(of_group_ids) LOOP
        state := group_state(of_group_ids[place]);
        CONTINUE WHEN state IS NULL;
        bytes := bytes + octet_length(state::text);
        EXIT WHEN bytes > bytes_max AND ord IS NOT NULL;
        ord := place;
        RETURN NEXT;
    END LOOP;
END
$$;
