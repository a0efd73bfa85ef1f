/** A Postgres or a Redis that the stack uses. */
export interface Store {
  /** Undefined when it is somebody else's, reached by its url. */
  readonly pid: number | undefined;
  readonly url: string;
  /** Ends it when it is ours. */
  stop(): Promise<void>;
}

export interface StoreOptions {
  /** The store makes a folder of its own in it. */
  readonly dataDir: string;
  readonly logDir: string;
  /** Preferred; another one is picked when it is taken. */
  readonly port: number;
  readonly log?: ((line: string) => void) | undefined;
  readonly onPid?: ((pid: number) => void) | undefined;
  /** Whether it is started again when it dies. Default true. */
  readonly restart?: boolean | undefined;
  /** Breaks its start off. */
  readonly signal?: AbortSignal | undefined;
}
