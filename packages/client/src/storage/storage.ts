/**
 * Where a client keeps what must outlive it: the credential, the requests that have no answer yet, answers that are not
 * handled yet, and what was already handled. Texts under keys, as `localStorage` has them.
 *
 * Writes to one key must take effect in the order in which they were called. When a call rejects, or does not settle
 * within 5 s, the client tells a `storage` event, goes on from memory, and tries again later.
 */
export type ClientStorage = {
  /** Everything that is stored. Called at the start, and when somebody else signs in. */
  load(): Promise<ReadonlyMap<string, string>>;
  set(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
};
