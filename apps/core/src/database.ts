import {
  createDatabaseCheck,
  type Db,
  type History,
  inspectSession,
  openDb,
  requireDurableCommits,
} from '@hooligram/db';
import { type ServiceContext, startProbe, untilWorks } from '@hooligram/service';
import type { coreConfig } from './config.ts';

/**
 * Connects to Postgres, and waits until it can do this release's work: it takes writes, it has the migrations, and
 * what pools its connections, if anything does, lets through what the statements need. From then on that it takes
 * writes and has them is a condition of readiness.
 *
 * @param remembered what Redis knows of the database's history
 * @param onEpoch the database came back with another history than was known
 */
export async function connectDatabase(
  service: ServiceContext<typeof coreConfig>,
  { remembered, onEpoch }: { remembered: History | undefined; onEpoch(): void },
): Promise<Db> {
  const { config, lifecycle, log } = service;
  const { DATABASE_URL: url, STATEMENT_TIMEOUT_MS: statementTimeoutMs } = config;
  const session = await untilWorks(lifecycle, 'database', async () => {
    const found = await inspectSession({ url, statementTimeoutMs });
    if (found.problem) throw new Error(found.problem);
    return found;
  });
  if (session.pooling !== 'direct') log.info(session, 'the database is behind a pooler');
  if (!session.keepsStatements) {
    log.warn(
      'the pooler forgets prepared statements, so each is planned anew: PgBouncer keeps them from 1.21 on',
    );
  }
  const db = openDb({
    url,
    poolSize: config.DATABASE_POOL,
    statementTimeoutMs,
    applicationName: 'hooligram-core',
    session,
    remembered,
    onConnectionError: (error) => log.warn({ reason: error.message }, 'database connection'),
    onEpoch(epoch, hasBegun) {
      log.warn({ epoch, hasBegun }, 'the database has come back with another history: a new epoch');
      onEpoch();
    },
  });
  lifecycle.onClose('database', () => db.close());
  const check = createDatabaseCheck(db);
  await untilWorks(lifecycle, 'database', async () => {
    const answer = await check();
    if (answer !== true) throw new Error(answer);
    await requireDurableCommits(db);
  });
  const probe = startProbe({ ask: check });
  lifecycle.onClose('database probe', probe.close);
  lifecycle.check('database', probe.check);
  return db;
}
