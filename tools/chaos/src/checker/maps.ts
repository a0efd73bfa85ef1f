/** The value under a key, which is made if there is none. */
export function ensure<K, V>(values: Map<K, V>, key: K, make: () => V): V {
  const value = values.get(key) ?? make();
  values.set(key, value);
  return value;
}

export function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  ensure(lists, key, () => [] as V[]).push(value);
}
