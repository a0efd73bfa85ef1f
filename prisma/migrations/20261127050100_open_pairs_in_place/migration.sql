-- The one open direct message of a pair, as before; groups without a key are not in it any more. It keeps its name: by that a
-- core knows what two of them may meet on.
DROP INDEX "group_direct_key_open_key";
ALTER INDEX "group_open_pair_key" RENAME TO "group_direct_key_open_key";
