import { memoryStorage } from './storage/memory.ts';
import type { ClientStorage } from './storage/storage.ts';

/** As much of the browser's WebSocket as is used. That of `ws` has it too. */
export type WebSocketLike = {
  send(data: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(
    type: 'close',
    listener: (event: { readonly code: number; readonly reason: string }) => void,
  ): void;
  /** Of `ws` only: cuts the connection without a word. */
  terminate?(): void;
};

/** As much of an AbortSignal as is used, so that no types of a browser or of Node are needed. */
export type AbortSignalLike = {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
};

export type WebSocketConstructor = new (url: string) => WebSocketLike;

export type ClientOptions = {
  /** `wss://<host>/v2`. */
  readonly url: string;
  /** Default: the global one. Node 20 has none: give that of the package `ws`. */
  readonly WebSocket?: WebSocketConstructor;
  /** Default `memoryStorage()`: nothing outlives the page or process. */
  readonly storage?: ClientStorage;
  /** A connection that brought nothing for so long is asked whether it lives. Default 30,000. */
  readonly keepAliveMs?: number;
  /** It is dead when it does not answer that within this time. Default 5,000. */
  readonly keepAliveTimeoutMs?: number;
  /**
   * The same when there is a reason for doubt: something is sent after a quiet of 5 s, the machine seems to have
   * slept, or the browser shows or focuses the page, or reports a change of the network. Default 3,000.
   */
  readonly doubtTimeoutMs?: number;
  /** A connection that is not open within this time is given up. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** A connection that leaves a request unanswered for so long is given up. Default 30,000. */
  readonly answerTimeoutMs?: number;
};

export type RequestOptions = {
  /**
   * Gives the request up; its promise rejects with the signal's reason. What was sent by then may take effect
   * or not.
   */
  readonly signal?: AbortSignalLike;
};

export type QueuedRequestOptions = RequestOptions & {
  /**
   * A fresh UUID; default: one is made. With the id of a request that waits in the outbox already, such as one
   * that an earlier page left there, the promise is that request's.
   */
  readonly id?: string;
};

/** The options with nothing left open. */
export type Settings = Required<ClientOptions>;

/** @throws TypeError when there is no WebSocket */
export function settingsOf(options: ClientOptions): Settings {
  const WebSocket = options.WebSocket ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
  if (!WebSocket) throw new TypeError('there is no WebSocket here: give that of the package ws');
  return {
    storage: memoryStorage(),
    keepAliveMs: 30_000,
    keepAliveTimeoutMs: 5_000,
    doubtTimeoutMs: 3_000,
    connectTimeoutMs: 10_000,
    answerTimeoutMs: 30_000,
    ...options,
    WebSocket,
  };
}
