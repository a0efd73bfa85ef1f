import { randomInt } from 'node:crypto';

/** A code of so many digits, each of the codes as likely as any other. */
export function randomCode(digits: number): string {
  return randomInt(10 ** digits)
    .toString()
    .padStart(digits, '0');
}
