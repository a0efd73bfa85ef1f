import type { ClientStorage } from './storage.ts';

/** As much of the browser's Storage as is used. */
export type WebStorage = {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
};

/**
 * A storage in `localStorage` or `sessionStorage`.
 * @param options `name`: first part of all keys, default `hooligram`; `area`: default `localStorage`
 */
export function webStorage(options: { name?: string; area?: WebStorage } = {}): ClientStorage {
  // Where storage is refused, reading the property throws: the first call rejects with that, as with any other failure.
  const look = () => options.area ?? (globalThis as { localStorage?: WebStorage }).localStorage;
  const prefix = `${options.name ?? 'hooligram'}/`;
  let isThere = true;
  try {
    isThere = look() !== undefined;
  } catch {}
  if (!isThere) throw new TypeError('there is no localStorage here');
  const area = () => look() as WebStorage;
  return {
    async load() {
      const stored = new Map<string, string>();
      for (let index = 0; index < area().length; index += 1) {
        const key = area().key(index);
        const value = key?.startsWith(prefix) ? area().getItem(key) : null;
        if (key !== null && value !== null) stored.set(key.slice(prefix.length), value);
      }
      return stored;
    },
    async set(key, value) {
      area().setItem(prefix + key, value);
    },
    async delete(key) {
      area().removeItem(prefix + key);
    },
  };
}
