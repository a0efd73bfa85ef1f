type StoreOf = (name: string) => IDBObjectStore;

/** A browser that has not answered within this time may never do so. */
const answerMs = 5_000;

/**
 * The parts of IndexedDB that are used, as promises that all settle. A database that the browser refuses, closes, or
 * gives to another page is opened again with the next call.
 */
export class Database {
  readonly #name: string;
  readonly #create: (database: IDBDatabase) => void;
  #opened: Promise<IDBDatabase> | undefined;

  /** @param create makes the stores of a new database */
  constructor(name: string, create: (database: IDBDatabase) => void) {
    this.#name = name;
    this.#create = create;
  }

  /** Resolves when all that the body asked for is stored. */
  write(stores: readonly string[], body: (storeOf: StoreOf) => void): Promise<void> {
    return this.#within(stores, 'readwrite', (transaction, resolve) => {
      transaction.oncomplete = () => resolve();
      body((name) => transaction.objectStore(name));
    });
  }

  read<R>(store: string, body: (store: IDBObjectStore) => IDBRequest<R>): Promise<R> {
    return this.#within([store], 'readonly', (transaction, resolve) => {
      const request = body(transaction.objectStore(store));
      request.onsuccess = () => resolve(request.result);
    });
  }

  /** The last entries of a range, in order. */
  readLast<R>(store: string, range: IDBKeyRange, count: number): Promise<R[]> {
    return this.#within([store], 'readonly', (transaction, resolve) => {
      const found: R[] = [];
      const request = transaction.objectStore(store).openCursor(range, 'prev');
      request.onsuccess = () => {
        const cursor = request.result;
        if (cursor) found.push(cursor.value as R);
        if (cursor && found.length < count) cursor.continue();
        else resolve(found.reverse());
      };
    });
  }

  async #within<R>(
    stores: readonly string[],
    mode: IDBTransactionMode,
    body: (transaction: IDBTransaction, resolve: (result: R) => void) => void,
  ): Promise<R> {
    return withDeadline(async () => {
      // A database that was closed, and nobody said so, is noticed here.
      const transaction = await this.#begin(stores, mode).catch(() => this.#begin(stores, mode));
      return new Promise<R>((resolve, reject) => {
        // A request that fails, or a browser without room, aborts all of it.
        transaction.onabort = () => reject(transaction.error ?? new Error('the transaction was aborted'));
        body(transaction, resolve);
      });
    });
  }

  async #begin(stores: readonly string[], mode: IDBTransactionMode): Promise<IDBTransaction> {
    const database = await this.#database();
    try {
      return database.transaction(stores, mode);
    } catch (error) {
      this.#opened = undefined;
      throw error;
    }
  }

  #database(): Promise<IDBDatabase> {
    if (this.#opened) return this.#opened;
    const opening: Promise<IDBDatabase> = open(this.#name, this.#create, () => forget());
    const forget = () => {
      if (this.#opened === opening) this.#opened = undefined;
    };
    this.#opened = opening;
    opening.catch(forget);
    return opening;
  }
}

function open(
  name: string,
  create: (database: IDBDatabase) => void,
  onGone: () => void,
): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    // Refused outright, it throws.
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => create(request.result);
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

async function withDeadline<T>(call: () => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the storage does not answer')), answerMs);
  });
  try {
    return await Promise.race([call(), deadline]);
  } finally {
    clearTimeout(timer);
  }
}
