import type { Check, Log } from '@hooligram/service';
import type { CoreMetrics } from './metrics.ts';

/** An answer that takes longer is none: readiness, which counts from the answer before, says so at the same time. */
const answerMaxMs = 2_500;
const line = { part: 'database', see: 'docs/runbook.md#postgresnotwritable' } as const;

/**
 * Whether Postgres answers: as metrics, and in the log a line when connections are lost and one when it answers again. What
 * breaks them may be over in less than a second, and no condition of readiness has seen it then.
 */
export class DatabaseConnection {
  readonly #log: Pick<Log, 'info' | 'warn'>;
  readonly #metrics: Pick<CoreMetrics, 'databaseConnected' | 'databaseReconnects'>;
  #isConnected = true;
  /** When the first connection was lost, in milliseconds since the epoch; undefined once Postgres has answered. */
  #lostAt: number | undefined;

  constructor(
    log: Pick<Log, 'info' | 'warn'>,
    metrics: Pick<CoreMetrics, 'databaseConnected' | 'databaseReconnects'>,
  ) {
    this.#log = log;
    this.#metrics = metrics;
  }

  /** A connection died. */
  lost(error: Error): void {
    this.#lostAt ??= Date.now();
    this.#log.warn({ ...line, reason: error.message }, 'Postgres connection lost');
  }

  /** @returns the same question, which is asked again and again; it is watched whether an answer comes, not which */
  watched(ask: Check): Check {
    this.#set(true);
    return async () => {
      const lostAt = this.#lostAt;
      const silence = setTimeout(() => this.#set(false), answerMaxMs);
      try {
        const answer = await ask();
        this.#set(true);
        // What was asked before may have been answered before.
        if (lostAt !== undefined) this.#isBack(lostAt);
        return answer;
      } catch (error) {
        this.#set(false);
        throw error;
      } finally {
        clearTimeout(silence);
      }
    };
  }

  #isBack(lostAt: number): void {
    this.#lostAt = undefined;
    this.#log.info({ ...line, afterMs: Date.now() - lostAt }, 'Postgres connection is back');
  }

  #set(isConnected: boolean): void {
    const { databaseConnected, databaseReconnects } = this.#metrics;
    if (isConnected && !this.#isConnected) databaseReconnects.inc();
    this.#isConnected = isConnected;
    databaseConnected.set(isConnected ? 1 : 0);
  }
}
