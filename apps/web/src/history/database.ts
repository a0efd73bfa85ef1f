import { type IDBPDatabase, openDB } from 'idb';

/** A browser that has not answered within this time may never do so. */
const answerMs = 5_000;

/**
 * An IndexedDB whose calls all settle. One that the browser refuses, closes, or gives to another page is opened again
 * with the next call.
 */
export class Database {
  readonly #name: string;
  readonly #create: (database: IDBPDatabase) => void;
  #opened: Promise<IDBPDatabase> | undefined;

  /** @param create makes the stores of a new database */
  constructor(name: string, create: (database: IDBPDatabase) => void) {
    this.#name = name;
    this.#create = create;
  }

  run<R>(body: (database: IDBPDatabase) => Promise<R>): Promise<R> {
    const late = new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error('the storage does not answer')), answerMs);
    });
    return Promise.race([this.#run(body), late]);
  }

  async #run<R>(body: (database: IDBPDatabase) => Promise<R>): Promise<R> {
    try {
      return await body(await this.#database());
    } catch (error) {
      // The database was closed, and nobody said so: nothing was done.
      if (!(error instanceof DOMException && error.name === 'InvalidStateError')) throw error;
      this.#opened = undefined;
      return body(await this.#database());
    }
  }

  #database(): Promise<IDBPDatabase> {
    if (this.#opened) return this.#opened;
    const forget = () => {
      if (this.#opened === opening) this.#opened = undefined;
    };
    const opening = openDB(this.#name, 1, {
      upgrade: this.#create,
      // Another page that wants to delete or upgrade it need not wait for this one.
      blocking: () => {
        forget();
        void opening.then((database) => database.close());
      },
      // The browser closed it: its data was cleared, or its disk failed.
      terminated: forget,
    });
    this.#opened = opening;
    opening.catch(forget);
    return opening;
  }
}
