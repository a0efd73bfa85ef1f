import type { ClientStorage } from './storage.ts';

type Request<R> = {
  readonly result: R;
  readonly error: unknown;
  onsuccess: ((event: never) => unknown) | null;
  onerror: ((event: never) => unknown) | null;
};

type ObjectStore = {
  getAllKeys(): Request<unknown[]>;
  getAll(): Request<unknown[]>;
  put(value: string, key: string): unknown;
  delete(key: string): unknown;
};

type Transaction = {
  readonly error: unknown;
  objectStore(name: string): ObjectStore;
  oncomplete: ((event: never) => unknown) | null;
  onabort: ((event: never) => unknown) | null;
};

type Database = {
  createObjectStore(name: string): unknown;
  transaction(names: string, mode: 'readonly' | 'readwrite'): Transaction;
  close(): void;
  onversionchange: ((event: never) => unknown) | null;
  onclose: ((event: never) => unknown) | null;
};

/** As much of the browser's IDBFactory as is used, so that no DOM types are needed. */
export type IndexedDbFactory = {
  open(
    name: string,
    version: number,
  ): Request<Database> & { onupgradeneeded: ((event: never) => unknown) | null };
};

const storeName = 'entries';

/**
 * A storage in IndexedDB, which has more room than `localStorage` and does not block the page. A database that the
 * browser refuses, closes or gives to another page is opened again with the next call.
 * @param options `name`: of the database, default `hooligram`; `indexedDB`: default the global one
 * @throws TypeError when there is no IndexedDB
 */
export function indexedDbStorage(
  options: { name?: string; indexedDB?: IndexedDbFactory } = {},
): ClientStorage {
  const factory = options.indexedDB ?? (globalThis as { indexedDB?: IndexedDbFactory }).indexedDB;
  if (!factory) throw new TypeError('there is no IndexedDB here');
  const name = options.name ?? 'hooligram';
  let opened: Promise<Database> | undefined;

  function database(): Promise<Database> {
    if (opened) return opened;
    const opening = open(factory as IndexedDbFactory, name, forget);
    opened = opening;
    opening.catch(forget);
    return opening;

    function forget(): void {
      if (opened === opening) opened = undefined;
    }
  }

  /** @throws InvalidStateError when the database was closed, and nobody said so */
  async function begin(mode: 'readonly' | 'readwrite'): Promise<Transaction> {
    const current = await database();
    try {
      return current.transaction(storeName, mode);
    } catch (error) {
      opened = undefined;
      throw error;
    }
  }

  /** Transactions begin in the order of the calls, and those that write wait for each other. */
  async function transact<R>(
    mode: 'readonly' | 'readwrite',
    body: (store: ObjectStore) => () => R,
  ): Promise<R> {
    const transaction = await begin(mode).catch(() => begin(mode));
    const resultOf = body(transaction.objectStore(storeName));
    return new Promise<R>((resolve, reject) => {
      transaction.oncomplete = () => resolve(resultOf());
      transaction.onabort = () => reject(transaction.error ?? new Error('the transaction was aborted'));
    });
  }

  return {
    load: () =>
      transact('readonly', (store) => {
        const keys = store.getAllKeys();
        const values = store.getAll();
        return () => new Map(keys.result.map((key, index) => [String(key), String(values.result[index])]));
      }),
    set: (key, value) => transact('readwrite', (store) => noResult(store.put(value, key))),
    delete: (key) => transact('readwrite', (store) => noResult(store.delete(key))),
  };
}

function noResult(_request: unknown): () => void {
  return () => undefined;
}

/** @param onGone called when it is of no use any more; the next one may be */
function open(factory: IndexedDbFactory, name: string, onGone: () => void): Promise<Database> {
  return new Promise((resolve, reject) => {
    // Refused outright, it throws.
    const request = factory.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(storeName);
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const database = request.result;
      // Another page that wants to delete or upgrade it need not wait for this one.
      database.onversionchange = () => {
        onGone();
        database.close();
      };
      // The browser closed it: its data was cleared, or its disk failed.
      database.onclose = onGone;
      resolve(database);
    };
  });
}
