-- The one open direct message of a pair, as before; groups without a key are not in it any more. It keeps its name: by that a
-- core knows what two of them may meet on.
-- One that was ended before it was done would refuse nothing.
DO $$
BEGIN
    IF NOT (SELECT indisvalid FROM pg_index WHERE indexrelid = '"group_open_pair_key"'::regclass) THEN
        RAISE EXCEPTION 'the index "group_open_pair_key" is not valid'
            USING HINT = 'Drop it, create it as the migration before this one does, and apply this one again.';
    END IF;
END
$$;
DROP INDEX "group_direct_key_open_key";
ALTER INDEX "group_open_pair_key" RENAME TO "group_direct_key_open_key";
