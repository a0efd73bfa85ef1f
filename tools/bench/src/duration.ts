import type { Options } from './options.ts';
import type { Job } from './plan.ts';
import { workloads } from './workloads/index.ts';

/** About how many seconds one trial takes. It is a guess, from trials on two cores. */
export function trialSeconds(
  { workload }: Job,
  { seconds, warmUpSeconds, trialSecondsMax }: Pick<Options, 'seconds' | 'warmUpSeconds' | 'trialSecondsMax'>,
): number {
  const { besideSeconds } = workloads[workload];
  return Math.min(besideSeconds + warmUpSeconds + seconds, secondsMaxOf({ workload }, { trialSecondsMax }));
}

/** After how many seconds a trial is given up. */
export function secondsMaxOf(
  { workload }: Pick<Job, 'workload'>,
  { trialSecondsMax }: Pick<Options, 'trialSecondsMax'>,
): number {
  return Math.max(trialSecondsMax, workloads[workload].trialSecondsMax ?? 0);
}

/** Tells how much is left, from what was guessed and what earlier trials took. */
export class Duration {
  readonly #guessed: ReadonlyMap<Job, number>;
  readonly #runs: number;
  #takenSeconds = 0;
  #guessedOfTaken = 0;
  #trials = 0;

  /** @param jobs those of one round */
  constructor(jobs: readonly Job[], options: Parameters<typeof trialSeconds>[1] & Pick<Options, 'runs'>) {
    this.#guessed = new Map(jobs.map((job) => [job, trialSeconds(job, options)]));
    this.#runs = options.runs;
  }

  get trials(): number {
    return this.#guessed.size * this.#runs;
  }

  /** Seconds until all trials are over. */
  get leftSeconds(): number {
    const all = [...this.#guessed.values()].reduce((sum, seconds) => sum + seconds, 0) * this.#runs;
    const factor = this.#guessedOfTaken > 0 ? this.#takenSeconds / this.#guessedOfTaken : 1;
    return (all - this.#guessedOfTaken) * factor;
  }

  /** A trial is over. @returns a line about it */
  add(job: Job, seconds: number): string {
    this.#trials += 1;
    this.#takenSeconds += seconds;
    this.#guessedOfTaken += this.#guessed.get(job) ?? 0;
    const left = this.#trials < this.trials ? `; about ${inMinutes(this.leftSeconds)} are left` : '';
    return `trial ${this.#trials} of ${this.trials} took ${Math.round(seconds)} s${left}`;
  }
}

export function inMinutes(seconds: number): string {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} minutes`;
}
