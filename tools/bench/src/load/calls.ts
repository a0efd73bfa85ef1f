import type { Pace } from './pace.ts';
import type { Population } from './population.ts';

export type ExchangeResult = {
  readonly sent: number;
  readonly delivered: number;
  /** From the first send until the last delivery. */
  readonly elapsedMs: number;
  /** Microseconds from send to each member's receipt, encoded by HdrHistogram. */
  readonly latencies: string;
  /** Of this process meanwhile. */
  readonly cpuMs: number;
  readonly faults: readonly string[];
};

/** What a load process can be asked, one at a time. */
export type Calls = {
  /** Makes the people and signs them in. */
  settle(population: Population): Promise<void>;
  exchange(seconds: number, pace: Pace): Promise<ExchangeResult>;
  /** Everybody disconnects. */
  leave(): Promise<void>;
  /** @returns milliseconds until everybody is signed in again and has their groups */
  storm(together: number): Promise<number>;
  miss(messages: number): Promise<void>;
  /** @returns how many messages they had missed, and milliseconds until the last one had them all */
  comeBack(): Promise<{ messages: number; elapsedMs: number }>;
};

export type CallName = keyof Calls;
export type Call = { readonly name: CallName; readonly params: unknown[] };
export type Reply = { readonly result?: unknown; readonly error?: string } | { readonly delivered: number };
