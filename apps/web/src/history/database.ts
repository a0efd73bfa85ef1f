/** The parts of IndexedDB that are used, as promises. */

export function openDatabase(name: string, create: (database: IDBDatabase) => void): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => create(request.result);
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      // Another page that wants to delete or upgrade it need not wait for this one.
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
  });
}

/** Resolves when all that the body asked for is stored. */
export function write(
  database: IDBDatabase,
  stores: readonly string[],
  body: (storeOf: (name: string) => IDBObjectStore) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(stores, 'readwrite');
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
    body((name) => transaction.objectStore(name));
  });
}

export function read<R>(
  database: IDBDatabase,
  store: string,
  body: (store: IDBObjectStore) => IDBRequest<R>,
): Promise<R> {
  return new Promise((resolve, reject) => {
    const request = body(database.transaction(store).objectStore(store));
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** The last entries of a range, in order. */
export function readLast<R>(
  database: IDBDatabase,
  store: string,
  range: IDBKeyRange,
  count: number,
): Promise<R[]> {
  return new Promise((resolve, reject) => {
    const found: R[] = [];
    const request = database.transaction(store).objectStore(store).openCursor(range, 'prev');
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const cursor = request.result;
      if (cursor) found.push(cursor.value as R);
      if (cursor && found.length < count) cursor.continue();
      else resolve(found.reverse());
    };
  });
}
