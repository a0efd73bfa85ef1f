import type { ExchangeResult, Pace, Population } from './scene.ts';

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
