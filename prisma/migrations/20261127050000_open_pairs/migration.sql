-- The next migration puts it in the place of "group_direct_key_open_key", which has an entry for each open group without a key, too.
-- Alone in its file, and CONCURRENTLY: messages are stored meanwhile. If it is ended before it is done, it leaves an invalid
-- index: DROP INDEX CONCURRENTLY "group_open_pair_key"; then mark the migration, as its error says.
CREATE UNIQUE INDEX CONCURRENTLY "group_open_pair_key" ON "group" ("direct_key")
    WHERE NOT "closed" AND "direct_key" IS NOT NULL;
