/**
 * Where a client keeps what must outlive it: the credential, the requests that have no answer yet, and what was
 * already handled. Texts under keys, as `localStorage` has them.
 *
 * Writes to one key must take effect in the order in which they were called. A write that rejects is told as an
 * `error` event, and the client goes on from memory.
 */
export interface ClientStorage {
  /** Everything that is stored. Called once, before the first sign-in. */
  load(): Promise<ReadonlyMap<string, string>>;
  set(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
}
