import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from '../generated/client.ts';
import { DatabaseEpoch, type EpochOptions, type History } from './epoch.ts';
import { applySettings, type SessionKind, sessionSettings } from './session.ts';

/** What every function of this package takes first: one pool, shared by Prisma and the hot statements. */
export type Db = {
  /** Reads int8 as numbers: all our ids and counts are below 2^53. */
  readonly pool: pg.Pool;
  readonly prisma: PrismaClient;
  /** Whether prepared statements are found again by their names. */
  readonly keepsStatements: boolean;
  /** Where the database's history is; it stays 0 without `onEpoch`. */
  readonly epoch: DatabaseEpoch;
  /** A statement has ended: it was answered, or failed. */
  readonly onStatement: (name: string, ms: number) => void;
  /** A statement lost a race, and runs again. */
  readonly onRerun: () => void;
  /** Ends the pool once its connections are given back. */
  close(): Promise<void>;
};

export type OpenDbOptions = {
  url: string;
  poolSize?: number;
  statementTimeoutMs?: number;
  /** Longest wait for a locked row, which then fails with an error of `isLockTimeout`. Default: none of its own. */
  lockTimeoutMs?: number;
  applicationName: string;
  /** What `inspectSession` found; without it, nothing stands between this process and Postgres. */
  session?: SessionKind;
  /** Called for an idle connection that died. The pool replaces it by itself. */
  onConnectionError?: (error: Error) => void;
  /** Given: every new connection enters the database's epoch first. */
  onEpoch?: EpochOptions['onChange'];
  /** Called with the time that a statement took until it was answered or failed, the wait for a connection included. */
  onStatement?: (name: string, ms: number) => void;
  /** Called when a statement lost a race and runs again. */
  onRerun?: () => void;
  /** What others have seen of the database's history: known before the first connection is used. */
  remembered?: History | undefined;
};

/** Longest wait for a connection of the pool. */
const connectionTimeoutMs = 5_000;
/** Beyond a statement's timeout a server that is silent, or a COMMIT that hangs, is waited for so much longer. */
const silenceMs = 2_000;
/** How much longer than its statement's timeout a call can take: a sum of timeouts has to count it. */
export const beyondStatementMs = connectionTimeoutMs + silenceMs;

const int8 = 20;

/** Opens the pool. Connects only when the first statement comes. */
export function openDb({
  url,
  poolSize = 8,
  statementTimeoutMs = 5_000,
  lockTimeoutMs,
  applicationName,
  session = { pooling: 'direct', keepsStatements: true },
  onConnectionError = () => {},
  onEpoch,
  onStatement = () => {},
  onRerun = () => {},
  remembered,
}: OpenDbOptions): Db {
  const settings = sessionSettings({ statementTimeoutMs, lockTimeoutMs });
  const name = session.keepsStatements ? 'enter_epoch' : undefined;
  const epoch = new DatabaseEpoch({ name, onChange: onEpoch ?? (() => {}) });
  if (remembered) epoch.remember(remembered);

  /** Awaited before anybody gets the connection. The settings come first: the epoch is a transaction like any other. */
  async function begin(client: pg.ClientBase): Promise<void> {
    if (session.pooling === 'session') await applySettings(client, settings);
    if (onEpoch) await epoch.enter(client as pg.Client);
  }

  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    application_name: applicationName,
    connectionTimeoutMillis: connectionTimeoutMs,
    // The server's own timeout comes first. It does not end a COMMIT.
    query_timeout: statementTimeoutMs + silenceMs,
    // A connection keeps its prepared statements: never given up for being idle.
    idleTimeoutMillis: 0,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: { getTypeParser },
    ...(session.pooling === 'direct' ? { options: startupOptions(settings) } : {}),
    onConnect: begin,
  });
  // Without a listener the death of an idle connection would end the process.
  pool.on('error', onConnectionError);
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool, { onConnectionError }) });
  return {
    pool,
    prisma,
    keepsStatements: session.keepsStatements,
    epoch,
    onStatement,
    onRerun,
    close: async () => {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}

/**
 * The settings as the command line of the session that a connection begins with. A pooler refuses it, or drops it in
 * silence. In its transaction mode the role has the settings.
 */
function startupOptions(settings: Readonly<Record<string, string>>): string {
  const keepalive = { tcp_keepalives_idle: '10', tcp_keepalives_interval: '5', tcp_keepalives_count: '3' };
  return Object.entries({ ...settings, ...keepalive })
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ');
}

export const getTypeParser: typeof pg.types.getTypeParser = (oid: number, format?: 'text' | 'binary') =>
  oid === int8 && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format as 'text');
