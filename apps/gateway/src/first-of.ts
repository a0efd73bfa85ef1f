/**
 * Resolves with the first `count` results, in the order in which they came. The others go on; if they fail, nobody is told.
 * @throws what the first one failed with, if it failed before that
 */
export function firstOf<T>(count: number, promises: readonly Promise<T>[]): Promise<T[]> {
  return new Promise((resolve, reject) => {
    const results: T[] = [];
    for (const promise of promises) {
      promise.then((result) => {
        results.push(result);
        if (results.length === count) resolve(results.slice());
      }, reject);
    }
  });
}
