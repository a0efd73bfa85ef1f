import { randomInt } from 'node:crypto';

const perRun = randomInt(1_000, 10_000);
let count = 0;

/**
 * The sid of a user of one test: a number of country code 888, which no country has, with eleven digits. It is given once.
 */
export function uniqueSid(): string {
  count += 1;
  const worker = Number(process.env.JEST_WORKER_ID ?? 1) % 100;
  const tail = `${worker}`.padStart(2, '0') + `${count}`.padStart(5, '0');
  return `888.${perRun}${tail}`;
}
