import {
  createDatabaseCheck,
  type Db,
  type History,
  inspectSession,
  openDb,
  requireDurableCommits,
  type SessionKind,
} from '@hooligram/db';
import { startProbe, untilWorks } from '@hooligram/service';
import type { CoreService } from './config.ts';
import { DatabaseConnection } from './database-connection.ts';
import type { CoreMetrics } from './metrics.ts';

/**
 * Waits until Postgres can do this release's work: it takes writes, it has the schema, and a pooler, if there is
 * one, lets through what the statements need.
 */
export async function inspectDatabase(service: CoreService): Promise<SessionKind> {
  const { config, lifecycle, log } = service;
  const {
    DATABASE_URL: url,
    STATEMENT_TIMEOUT_MS: statementTimeoutMs,
    LOCK_TIMEOUT_MS: lockTimeoutMs,
  } = config;
  const session = await untilWorks(lifecycle, 'database', async () => {
    const found = await inspectSession({ url, statementTimeoutMs, lockTimeoutMs });
    if (found.problem) throw new Error(found.problem);
    return found;
  });
  if (session.pooling !== 'direct') log.info(session, 'the database is behind a pooler');
  if (!session.keepsStatements) {
    log.warn(
      'the pooler forgets prepared statements, so each is planned again: PgBouncer keeps them from 1.21 on',
    );
  }
  return session;
}

/**
 * Connects to Postgres, and waits until it can still do this release's work. From then on that is a condition of
 * readiness.
 *
 * @param session what `inspectDatabase` found
 * @param remembered what Redis knows of the database's history
 * @param onEpoch called when the database came back with another history than was known
 */
export async function connectDatabase(
  service: CoreService,
  {
    session,
    remembered,
    metrics,
    onEpoch,
  }: { session: SessionKind; remembered: History | undefined; metrics: CoreMetrics; onEpoch(db: Db): void },
): Promise<Db> {
  const { config, lifecycle, log } = service;
  const connection = new DatabaseConnection(log, metrics);
  const db: Db = openDb({
    url: config.DATABASE_URL,
    poolSize: config.DATABASE_POOL,
    statementTimeoutMs: config.STATEMENT_TIMEOUT_MS,
    lockTimeoutMs: config.LOCK_TIMEOUT_MS,
    applicationName: 'hooligram-core',
    session,
    remembered,
    onStatement: (name, ms) => metrics.statementSeconds(name).observe(ms / 1_000),
    onRerun: () => metrics.statementReruns.inc(),
    onConnectionError: (error) => connection.lost(error),
    onEpoch(epoch, hasBegun) {
      log.warn(
        { epoch, hasBegun, see: 'docs/runbook.md#databasewentback' },
        'the database has come back with another history: a new epoch',
      );
      onEpoch(db);
    },
  });
  db.pool.on('connect', () => metrics.databaseConnects.inc());
  lifecycle.onClose('database', () => db.close());
  const check = createDatabaseCheck(db);
  await untilWorks(lifecycle, 'database', async () => {
    const answer = await check();
    if (answer !== true) throw new Error(answer);
    await requireDurableCommits(db);
  });
  const probe = startProbe({ ask: connection.watched(check) });
  lifecycle.onClose('database probe', probe.close);
  lifecycle.check('database', probe.check);
  return db;
}
