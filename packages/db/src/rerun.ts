import { isRerunnable } from './errors.ts';

const runsMax = 5;

/** Runs a statement that is its own transaction again when it lost a race: it was rolled back as a whole. */
export async function rerun<T>(run: () => Promise<T>): Promise<T> {
  for (let runs = 1; ; runs += 1) {
    try {
      return await run();
    } catch (error) {
      if (runs === runsMax || !isRerunnable(error)) throw error;
    }
  }
}
