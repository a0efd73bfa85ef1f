import type { Fixture } from './fixture.ts';

/** The checks of a topic, each under its name and the guarantee of the protocol that it makes: `name: guarantee`. */
export type Checks = Readonly<Record<`${string}: ${string}`, (fixture: Fixture) => Promise<void>>>;

/** One guarantee of the protocol, seen from outside. */
export type Check = {
  readonly topic: string;
  readonly name: string;
  /** The guarantee, as a sentence. */
  readonly title: string;
  /** @throws Failure, or Skip */
  readonly run: (fixture: Fixture) => Promise<void>;
};
