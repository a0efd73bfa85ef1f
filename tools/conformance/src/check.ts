import type { Fixture } from './fixture.ts';

/** One guarantee of the protocol, seen from outside. */
export type Check = {
  /** Short, unique in its topic: what `--only` takes. */
  readonly name: string;
  /** The guarantee, as a sentence. */
  readonly title: string;
  /** Takes many seconds by its nature: made with `--slow` only. */
  readonly isSlow?: boolean;
  /** @throws Failure, or Skip */
  readonly run: (fixture: Fixture) => Promise<void>;
};

export type Topic = { readonly name: string; readonly checks: readonly Check[] };
