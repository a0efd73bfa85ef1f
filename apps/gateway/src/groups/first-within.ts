/** How many of the first items have no more than so many bytes together; one at least, if there is one. */
export function firstWithin<T>(items: readonly T[], bytesMax: number, bytesOf: (item: T) => number): number {
  let bytes = 0;
  const end = items.findIndex((item, index) => {
    bytes += bytesOf(item);
    return index > 0 && bytes > bytesMax;
  });
  return end < 0 ? items.length : end;
}
