import { randomInt } from 'node:crypto';

export type User = {
  readonly sid: string;
  /** The credential; undefined when the number never signed up. */
  readonly code: string | undefined;
};

/**
 * A random number, so that a run can be repeated on the same server. It has eleven digits, as a number of country code 888
 * has, for a server that checks lengths.
 */
export function randomSid(countryCode: string): string {
  return `${countryCode}.1${String(randomInt(10 ** 10)).padStart(10, '0')}`;
}
