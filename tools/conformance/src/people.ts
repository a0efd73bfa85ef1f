import { randomInt } from 'node:crypto';

export type Person = {
  readonly sid: string;
  /** The credential; undefined when the number never signed up. */
  readonly code: string | undefined;
};

/** The two fields of a sid. */
export function numberOf(sid: string): { country_code: string; phone_number: string } {
  const [country_code = '', phone_number = ''] = sid.split('.');
  return { country_code, phone_number };
}

/**
 * A number that nobody has: random, so that a kit can run again and again on the same server. Eleven digits, which
 * are as many as a number of country code 888 has, should the server look at that.
 */
export function randomSid(countryCode: string): string {
  return `${countryCode}.1${String(randomInt(10 ** 10)).padStart(10, '0')}`;
}

/** The people of a run who have signed up. Checks share them, because each cost a code. */
export class People {
  readonly #known: Person[] = [];

  /** Somebody who is not among those. */
  other(taken: readonly Person[]): Person | undefined {
    return this.#known.find((person) => !taken.includes(person));
  }

  add(person: Person): void {
    this.#known.push(person);
  }
}
