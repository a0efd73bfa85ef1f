import type { uWS } from '@hooligram/uws';

/** That of RFC 6455, the only one that is spoken. */
export const webSocketVersion = '13';

export const unavailable = '503 Service Unavailable';

type RefusalOptions = {
  /** When the client should come back. */
  readonly retryAfterSeconds?: number;
  /** The connection is closed: else it is kept for another request, for 10 s. */
  readonly isClosing?: boolean;
  /** Asked with HEAD: the client would take a body for the next response. */
  readonly isHead?: boolean;
};

/** Answers a request with something that is no connection. */
export function refuse(
  response: uWS.HttpResponse,
  status: string,
  text: string,
  { retryAfterSeconds, isClosing = false, isHead = false }: RefusalOptions = {},
): void {
  response.writeStatus(status);
  if (retryAfterSeconds !== undefined) response.writeHeader('Retry-After', String(retryAfterSeconds));
  if (status.startsWith('426')) {
    response.writeHeader('Upgrade', 'websocket').writeHeader('Sec-WebSocket-Version', webSocketVersion);
  }
  response.writeHeader('Content-Type', 'text/plain; charset=utf-8');
  // endWithoutBody ends the process of 20.30.
  response.end(isHead ? '' : text, isClosing);
}
