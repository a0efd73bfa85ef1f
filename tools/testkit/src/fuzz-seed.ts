import { randomInt } from 'node:crypto';

/** With CI set, tests try the same each time: what fails there is a change's fault, and not of a seed that nobody had yet. */
const seedOfCi = 20_261_126;

/** The seed of a test that makes its input by chance. FUZZ_SEED=... runs once more what failed. */
export function fuzzSeed(): number {
  const { FUZZ_SEED, CI } = process.env;
  return FUZZ_SEED ? Number(FUZZ_SEED) : CI ? seedOfCi : randomInt(2 ** 31);
}

/** How many times as much as usual such a test tries, at least 1. FUZZ_FACTOR=... for a change of what reads its input. */
export function fuzzFactor(): number {
  const factor = Number(process.env.FUZZ_FACTOR ?? 1);
  if (!(factor >= 1)) throw new Error(`FUZZ_FACTOR must be a number from 1 on, and is ${factor}`);
  return factor;
}
