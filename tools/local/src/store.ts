import type { ProcessSpec } from './running-process.ts';
import { SupervisedProcess } from './supervise.ts';

/** A Postgres or a Redis that the stack uses. */
export type Store = {
  /** Undefined for an external store, which was started elsewhere. */
  readonly pid: number | undefined;
  readonly url: string;
  /** Ends it, unless it is external. */
  stop(): Promise<void>;
};

export type StoreOptions = {
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
};

const readyTimeoutMs = 60_000;

/** Starts a store that is reached by the url. @throws StartError when it does not get ready */
export async function startStore(
  spec: ProcessSpec,
  url: string,
  isReady: () => Promise<boolean>,
  { onPid, log, restart = true, signal }: StoreOptions,
  beforeStart?: () => void,
): Promise<Store> {
  const options = { isReady, readyTimeoutMs, beforeStart, onPid, log, restart, signal };
  const process = await SupervisedProcess.start(spec, options);
  return {
    get pid() {
      return process.pid;
    },
    url,
    stop: () => process.stop(),
  };
}
