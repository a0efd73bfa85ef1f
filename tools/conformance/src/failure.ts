import { isDeepStrictEqual } from 'node:util';

/** The server broke the check's guarantee; the message says what was seen instead. */
export class Failure extends Error {
  override readonly name = 'Failure';
}

/** The check cannot be made here; the message says why. */
export class Skip extends Error {
  override readonly name = 'Skip';
}

/** The run cannot go on: no connection, or no code to sign up with. */
export class RunError extends Error {
  override readonly name = 'RunError';
}

export function expectThat(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Failure(otherwise);
}

/** @param what the thing that is compared, as the beginning of a sentence */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new Failure(`${what}: expected ${shown(expected)}, got ${shown(actual)}`);
}

export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 400 ? text : `${text.slice(0, 400)}… (${text.length} characters)`;
}
