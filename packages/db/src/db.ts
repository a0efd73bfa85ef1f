import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { DatabaseEpoch, type EpochOptions } from './epoch.ts';
import { PrismaClient } from './generated/client.ts';

/** What every function of this package takes first: one pool, shared by Prisma and the hot statements. */
export type Db = {
  /** Reads int8 as numbers: all our ids and counts are below 2^53. */
  readonly pool: pg.Pool;
  readonly prisma: PrismaClient;
  readonly epoch: DatabaseEpoch;
  /** Ends the pool once its connections are given back. */
  close(): Promise<void>;
};

export type OpenDbOptions = {
  url: string;
  poolSize?: number;
  statementTimeoutMs?: number;
  applicationName: string;
  /** Hears of idle connections that died. The pool replaces them by itself. */
  onConnectionError?: (error: Error) => void;
  /** Given: every new connection is asked for the database's epoch first. */
  onEpoch?: EpochOptions['onChange'];
};

const connectionTimeoutMs = 5_000;
const int8 = 20;

/** Opens the pool. Connects only when the first statement comes. */
export function openDb({
  url,
  poolSize = 8,
  statementTimeoutMs = 5_000,
  applicationName,
  onConnectionError = () => {},
  onEpoch,
}: OpenDbOptions): Db {
  const epoch = new DatabaseEpoch({ onChange: onEpoch ?? (() => {}) });
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    application_name: applicationName,
    options: sessionOptions(statementTimeoutMs),
    connectionTimeoutMillis: connectionTimeoutMs,
    // The server's own timeout comes first. This one is for a server that is silent.
    query_timeout: statementTimeoutMs + 2_000,
    // A connection keeps its prepared statements: never given up for being idle.
    idleTimeoutMillis: 0,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: { getTypeParser },
    ...(onEpoch ? { onConnect: (client) => epoch.enter(client as pg.Client) } : {}),
  });
  // Without a listener the death of an idle connection would end the process.
  pool.on('error', onConnectionError);
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool, { onConnectionError }) });
  return {
    pool,
    prisma,
    epoch,
    close: async () => {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}

/**
 * All that a session is told at its start. The timeouts: no frozen client holds locks for long. The planner:
 * our statements are bounded batches of look-ups by key, so the right plan is always nested loops over indexes,
 * made once. Left to choose, it takes a plan for the small table that it has just seen, and keeps it in the
 * prepared statement while the table grows. UTC: Prisma's adapter reads dates as if it were.
 */
function sessionOptions(statementTimeoutMs: number): string {
  const settings = {
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs,
    tcp_keepalives_idle: 10,
    tcp_keepalives_interval: 5,
    tcp_keepalives_count: 3,
    timezone: 'UTC',
    plan_cache_mode: 'force_generic_plan',
    enable_seqscan: 'off',
    enable_hashjoin: 'off',
    enable_mergejoin: 'off',
    jit: 'off',
  };
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ');
}

const getTypeParser: typeof pg.types.getTypeParser = (oid: number, format?: 'text' | 'binary') =>
  oid === int8 && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format as 'text');
