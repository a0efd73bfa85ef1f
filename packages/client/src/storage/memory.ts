import type { ClientStorage } from './storage.ts';

/** Lasts as long as the object: give it to a second client to hand over what the first one left. */
export function memoryStorage(): ClientStorage {
  const stored = new Map<string, string>();
  return {
    load: async () => new Map(stored),
    async set(key, value) {
      stored.set(key, value);
    },
    async delete(key) {
      stored.delete(key);
    },
  };
}
