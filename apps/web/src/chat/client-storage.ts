import { type ClientStorage, indexedDbStorage } from '@hooligram/client';

/** In a browser without IndexedDB, every call is refused: the SDK says it, and goes on from memory. */
export function clientStorage(name: string): ClientStorage {
  try {
    return indexedDbStorage({ name });
  } catch (error) {
    const refuse = () => Promise.reject(error);
    return { load: refuse, set: refuse, delete: refuse };
  }
}
