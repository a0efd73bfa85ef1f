/** Does something for each item, at most `together` at a time. @throws what the first failure threw */
export async function limited<T>(
  items: readonly T[],
  together: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next;
      next += 1;
      await work(items[index] as T, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(together, items.length) }, worker));
}
