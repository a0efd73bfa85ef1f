import type { Fixture } from './fixture.ts';

/** One guarantee of the protocol, seen from outside. */
export type Check = {
  /** The guarantee, as a sentence. */
  readonly title: string;
  /** Takes many seconds by its nature: made with `--slow` only. */
  readonly isSlow?: boolean;
  /** @throws Failure, or Skip */
  readonly run: (fixture: Fixture) => Promise<void>;
};

/** Checks by their short names, as `--only` takes them: `topic/check`. */
export type Topic = { readonly name: string; readonly checks: Readonly<Record<string, Check>> };
