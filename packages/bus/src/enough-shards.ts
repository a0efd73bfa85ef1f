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
 * Whether as many shards work as are needed, or what is wrong with the others.
 *
 * @param failures one a shard, with its address; undefined if it works
 */
export function checkShards(failures: readonly (string | undefined)[]): true | string {
  const broken = failures.filter((failure) => failure !== undefined);
  const working = failures.length - broken.length;
  if (working >= shardsNeeded(failures.length)) return true;
  return `${working} of ${failures.length} Redis work: ${broken.join('; ')}`;
}
