/**
 * None, one, or several. A set of one takes some 200 bytes more than the one, and where gateways are many, nearly all groups of a
 * gateway have one connection there.
 */
export type Few<T extends object> = T | Set<T> | undefined;

export function withOne<T extends object>(few: Few<T>, one: T): Few<T> {
  if (few === undefined || few === one) return one;
  return few instanceof Set ? few.add(one) : new Set([few, one]);
}

export function withoutOne<T extends object>(few: Few<T>, one: T): Few<T> {
  if (few === one) return undefined;
  if (!(few instanceof Set)) return few;
  few.delete(one);
  if (few.size > 1) return few;
  const [last] = few;
  return last;
}

export function countOf(few: Few<object>): number {
  if (few === undefined) return 0;
  return few instanceof Set ? few.size : 1;
}

/** One that is taken out meanwhile does not come, unless it was then the only one left. */
export function each<T extends object>(few: Few<T>): Iterable<T> {
  if (few === undefined) return [];
  return few instanceof Set ? few : [few];
}
