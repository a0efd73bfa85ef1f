import type pg from 'pg';
import { checkDatabase } from './check-database.ts';
import { withClient, withConnection } from './with-connection.ts';

/** A history of the database, as far as a core has seen it. */
export type History = {
  /** 0 until the database came back older for the first time; grows with each time. */
  readonly epoch: number;
  /** What tells it from other histories; see sql/functions/history_identity.sql. */
  readonly identity: string;
  /** How far its write-ahead log was written, in bytes; null where the host forbids to ask. */
  readonly wal: number | null;
};

const enterStatement = `SELECT epoch, history AS identity, wal, has_begun FROM enter_epoch($1, $2, $3, $4)`;

type Entered = History & { has_begun: boolean };

export type EpochOptions = {
  /** Under which name connections prepare the statement that enters; without one it is parsed and planned each time. */
  readonly name?: string | undefined;
  /**
   * The database is in another epoch than this process was: everything that was read or stored before belongs to a
   * history that is gone. No connection of that time is used any more.
   * @param hasBegun this process noticed first
   */
  onChange(epoch: number, hasBegun: boolean): void;
};

/**
 * In which epoch the database is (see sql/functions/enter_epoch.sql).
 *
 * Guarantee: a connection is handed out only in the current epoch. In another one, ids go on beyond all that were
 * ever given before any connection of this process can store anything; and when the epoch changes here, all
 * connections from before are cut at once, so that nothing is answered that was read in the old history. What a
 * pooler does behind a connection is noticed by `check` alone.
 */
export class DatabaseEpoch {
  readonly #connections = new Set<pg.Client>();
  readonly #options: EpochOptions;
  /** By connections of this process. */
  #seen: History | undefined;
  /** By other cores, which may have seen more. */
  #remembered: History | undefined;

  constructor(options: EpochOptions) {
    this.#options = options;
  }

  get current(): number {
    return this.#seen?.epoch ?? 0;
  }

  /** What this process has seen; undefined before the first connection. */
  get seen(): History | undefined {
    return this.#seen;
  }

  /**
   * Takes what another core has seen. If that is a later epoch, the connections here may be to a server that no other
   * core uses any more: they are cut, and the next one tells.
   */
  remember(history: History): void {
    this.#remembered = newest(this.#remembered, history);
    if (this.#seen && history.epoch > this.#seen.epoch) this.#cut();
  }

  /** Asks on one connection of the pool, which may be an old one. */
  async check(pool: pg.Pool): Promise<void> {
    await withConnection(pool, (client) => this.enter(client as unknown as pg.Client));
  }

  /** To be awaited before a new connection is used. @throws what makes it unfit: it is to be closed then */
  async enter(client: pg.Client): Promise<void> {
    // Asked before the database looks: within a history its log is never shorter than what was known before.
    const known = newest(this.#seen, this.#remembered);
    const values = [known?.epoch ?? 0, known?.identity ?? null, known?.wal ?? null, false];
    const { rows } = await client
      .query<Entered>({ name: this.#options.name, text: enterStatement, values })
      .catch(async (cause: Error) => {
        throw outage(await whyNot(client, cause), cause);
      });
    const { has_begun: hasBegun, ...entered } = rows[0] as Entered;
    if (entered.epoch < this.current) throw outage(goneText);
    const isAnother = this.#seen !== undefined && entered.epoch > this.#seen.epoch;
    this.#seen = isAnother ? entered : newest(this.#seen, entered);
    if (isAnother) this.#cut(client);
    if (!this.#connections.has(client)) {
      this.#connections.add(client);
      client.once('end', () => this.#connections.delete(client));
    }
    if (isAnother || hasBegun) this.#options.onChange(entered.epoch, hasBegun);
  }

  #cut(but?: pg.Client): void {
    for (const client of this.#connections) {
      if (client === but) continue;
      this.#connections.delete(client);
      client.connection.stream.destroy(outage(goneText));
    }
  }
}

/** Begins a new epoch: an operator says that the database is another one than it was, which nothing else may show. */
export async function beginEpoch(url: string): Promise<number> {
  return withClient({ connectionString: url }, async (client) => {
    const { rows } = await client.query<{ epoch: string }>(enterStatement, [0, null, null, true]);
    return Number(rows[0]?.epoch);
  });
}

/** Of two: the later epoch; of one epoch, what has come further. */
function newest(one: History | undefined, other: History | undefined): History | undefined {
  if (!one || !other) return one ?? other;
  if (one.epoch !== other.epoch) return one.epoch > other.epoch ? one : other;
  return (other.wal ?? 0) > (one.wal ?? 0) ? other : one;
}

/**
 * Why it cannot be entered. A standby, and a database without this release's migrations, lack what is called here, or
 * what that writes to: the error is that of the check, which asks no connection that cannot be entered.
 */
async function whyNot(client: pg.Client, cause: Error & { code?: string }): Promise<string> {
  const isFromServer = /^[0-9A-Z]{5}$/.test(cause.code ?? '');
  const answer = isFromServer && (await checkDatabase(client).catch(() => true as const));
  return typeof answer === 'string' ? answer : `the database cannot be entered: ${cause.message}`;
}

const goneText = 'the database has come back with another history';

/** As a broken connection: no request's fault. */
function outage(text: string, cause?: Error): Error {
  return Object.assign(new Error(text, { cause }), { code: '08006' });
}
