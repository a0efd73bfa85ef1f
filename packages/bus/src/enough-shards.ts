import { shardsNeeded } from './placement.ts';

/**
 * Resolves with what came of as many shards as are needed, in the order in which it came. The others go on; if they fail,
 * nobody is told here: each promise has to say so itself.
 *
 * @param promises one a shard
 * @throws what the first one failed with, if it failed before that
 */
export function untilEnough<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const needed = shardsNeeded(promises.length);
  return new Promise((resolve, reject) => {
    const results: T[] = [];
    for (const promise of promises) {
      promise.then((result) => {
        results.push(result);
        if (results.length === needed) resolve(results.slice());
      }, reject);
    }
  });
}

/**
 * Whether as many shards work as are needed, or which do not.
 *
 * @param failures one a shard, with its address; undefined if it works
 */
export function checkShards(failures: readonly (string | undefined)[]): true | string {
  return countWorking(failures) >= shardsNeeded(failures.length) || (remarkOnShards(failures) ?? true);
}

/** How many of the shards work, and what is wrong with the others, also when enough do; undefined if all work. */
export function remarkOnShards(failures: readonly (string | undefined)[]): string | undefined {
  const broken = failures.filter((failure) => failure !== undefined);
  if (broken.length === 0) return undefined;
  return `${countWorking(failures)} of ${failures.length} Redis work: ${broken.join('; ')}`;
}

function countWorking(failures: readonly (string | undefined)[]): number {
  return failures.filter((failure) => failure === undefined).length;
}
