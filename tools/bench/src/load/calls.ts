import type { PopulationSpec } from './population-spec.ts';
import type { Rate } from './rate.ts';

export type ExchangeResult = {
  readonly sent: number;
  readonly delivered: number;
  /** From the first send until the last delivery. */
  readonly elapsedMs: number;
  /** From the send until a member receives the message, by percentile. */
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number };
  /** CPU time of the load process. */
  readonly cpuMs: number;
  readonly faults: readonly string[];
};

/** The calls of a load process, one at a time. */
export type Calls = {
  /** Signs all users up and in, and creates their groups. */
  populate(spec: PopulationSpec): Promise<void>;
  exchange(seconds: number, rate: Rate): Promise<ExchangeResult>;
  /** All users disconnect. */
  disconnect(): Promise<void>;
  /**
   * All users sign in again.
   * @param concurrency how many connections are being opened at a time
   * @returns milliseconds until all are signed in and have their groups
   */
  storm(concurrency: number): Promise<number>;
  /** The second member of each stream disconnects and misses so many messages. */
  missMessages(messages: number): Promise<void>;
  /** Those who missed messages reconnect. @returns how many messages they missed, and milliseconds until all arrived */
  reconnect(): Promise<{ messages: number; elapsedMs: number }>;
};

export type CallName = keyof Calls;
export type Call = { readonly name: CallName; readonly params: unknown[] };
export type Reply = { readonly result?: unknown; readonly error?: string } | { readonly delivered: number };
