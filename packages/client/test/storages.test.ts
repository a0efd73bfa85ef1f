import { describe, expect, test } from '@jest/globals';
import { IDBFactory } from 'fake-indexeddb';
import {
  type ClientStorage,
  indexedDbStorage,
  memoryStorage,
  type WebStorage,
  webStorage,
} from '../src/index.ts';

/** What a browser offers as `localStorage`. */
class Area implements WebStorage {
  readonly #entries = new Map<string, string>([['of somebody else', 'untouched']]);
  get length() {
    return this.#entries.size;
  }
  key(index: number) {
    return [...this.#entries.keys()][index] ?? null;
  }
  getItem(key: string) {
    return this.#entries.get(key) ?? null;
  }
  setItem(key: string, value: string) {
    this.#entries.set(key, value);
  }
  removeItem(key: string) {
    this.#entries.delete(key);
  }
}

/** Each makes storages that see the same entries, as two pages do. */
const kinds: [string, () => () => ClientStorage][] = [
  [
    'memory',
    () => {
      const storage = memoryStorage();
      return () => storage;
    },
  ],
  [
    'localStorage',
    () => {
      const area = new Area();
      return () => webStorage({ area });
    },
  ],
  [
    'IndexedDB',
    () => {
      const indexedDB = new IDBFactory();
      return () => indexedDbStorage({ indexedDB });
    },
  ],
];

describe.each(kinds)('a storage in %s', (_, kind) => {
  test('gives back to the next page what was set and not deleted', async () => {
    const page = kind();
    const first = page();
    expect([...(await first.load())]).toEqual([]);
    await Promise.all([first.set('a', '1'), first.set('b', 'Grüße 🥾'), first.set('c', '3')]);
    await Promise.all([first.set('a', '2'), first.delete('c'), first.delete('never set')]);
    const loaded = await page().load();
    expect([...loaded].sort()).toEqual([
      ['a', '2'],
      ['b', 'Grüße 🥾'],
    ]);
  });

  test('takes writes to one key in the order of the calls', async () => {
    const storage = kind()();
    await Promise.all(Array.from({ length: 20 }, (_, index) => storage.set('key', String(index))));
    expect((await storage.load()).get('key')).toBe('19');
    await Promise.all([storage.set('key', 'x'), storage.delete('key')]);
    expect((await storage.load()).has('key')).toBe(false);
  });
});

test('a storage in IndexedDB opens its database again after another page has deleted it', async () => {
  const indexedDB = new IDBFactory();
  const storage = indexedDbStorage({ indexedDB, name: 'chat' });
  await storage.set('key', 'before');
  await new Promise((resolve, reject) => {
    Object.assign(indexedDB.deleteDatabase('chat'), { onsuccess: resolve, onerror: reject });
  });
  await storage.set('key', 'after');
  expect([...(await storage.load())]).toEqual([['key', 'after']]);
});

test('storages say so when the browser has none', () => {
  expect(() => webStorage()).toThrow('there is no localStorage here');
  expect(() => indexedDbStorage()).toThrow('there is no IndexedDB here');
});
