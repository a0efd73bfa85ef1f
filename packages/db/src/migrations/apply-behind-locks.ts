import pg from 'pg';

/** A migration waited too long for its locks. Nothing of it was applied. */
export class LockedOutError extends Error {
  override readonly name = 'LockedOutError';
}

/** A statement that waits for a table keeps all later ones waiting: for so long at a time. */
const lockTimeoutMs = 1_000;
/** In between, the statements that have queued behind it run. */
const pauseMs = 2_000;
const lookEveryMs = 200;
const lockNotAvailable = '55P03';

/** A file that opens transactions of its own may be half done when it fails: it is not tried again. */
const hasOwnTransactions = /^\s*(BEGIN|START\s+TRANSACTION|COMMIT|ROLLBACK)(\s+(WORK|TRANSACTION))?\s*;/im;
/** Waits for old transactions and keeps nobody waiting; ended early, it leaves an invalid index. */
const isConcurrent = /\bCONCURRENTLY\b/i;

export type Waiting = {
  client: pg.Client;
  url: string;
  log(line: string): void;
  patienceMs: number;
};

/**
 * Runs a script as one transaction. It waits for a lock for about a second, then lets the statements pass that wait
 * behind it, and tries again: one long reader does not stop the system. Each process in its way is logged once.
 *
 * @param name what is applied, for the log
 * @throws LockedOutError when the patience ends
 * @throws what the database threw for any other reason
 */
export async function applyBehindLocks({
  client,
  url,
  name,
  script,
  log,
  patienceMs,
}: Waiting & { name: string; script: string }): Promise<void> {
  const givesUpAt = Date.now() + patienceMs;
  const logged = new Set<string>();
  await client.query(`SET lock_timeout = ${isConcurrent.test(script) ? 0 : lockTimeoutMs}`);
  try {
    for (;;) {
      const watch = await watchBlockers(client, url);
      try {
        await client.query(script);
        return;
      } catch (error) {
        const isLocked = (error as { code?: string }).code === lockNotAvailable;
        if (!isLocked || hasOwnTransactions.test(script)) throw error;
        const blockers = watch.seen();
        if (Date.now() + pauseMs > givesUpAt) {
          const minutes = Math.round(patienceMs / 6_000) / 10;
          throw new LockedOutError(
            `${name} got no lock in ${minutes} min; in its way: ${blockers.join('; ') || 'no process that could be seen'}. Nothing was applied; run it again`,
          );
        }
        for (const blocker of blockers.filter((one) => !logged.has(one))) {
          logged.add(blocker);
          log(`${name} waits for a lock behind ${blocker}; others may go on, it is tried again`);
        }
      } finally {
        await watch.end();
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  } finally {
    await client.query('RESET lock_timeout').catch(() => {});
  }
}

/** Looks, on a connection of its own, at the processes that keep the client waiting. */
async function watchBlockers(client: pg.Client, url: string) {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const watcher = new pg.Client({ connectionString: url, application_name: 'hooligram-migrate' });
  watcher.on('error', () => {});
  await watcher.connect();
  let blockers: string[] = [];
  let looking: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    looking = looking.then(async () => {
      const found = await watcher.query<{ process: string }>(blockersOf, [rows[0]?.pid]);
      if (found.rows.length > 0) blockers = found.rows.map(({ process }) => process);
    }, nothing);
    looking.catch(nothing);
  }, lookEveryMs);
  return {
    seen: () => blockers,
    async end() {
      clearInterval(timer);
      await looking.catch(nothing);
      await watcher.end().catch(nothing);
    },
  };
}

const nothing = () => {};

/** Without what they run, which may hold anything. */
const blockersOf = `
SELECT 'process ' || pid || ' (' || coalesce(nullif(application_name, ''), usename, 'unnamed') || ', ' || coalesce(state, 'hidden')
  || coalesce(', transaction since ' || to_char(xact_start AT TIME ZONE 'UTC', 'HH24:MI:SS') || ' UTC', '') || ')' AS process
FROM pg_stat_activity WHERE pid = ANY (pg_blocking_pids($1))`;
