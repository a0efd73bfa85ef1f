/** How the server ends a connection, and what a client should do then. */
export type CloseReason = {
  /** WebSocket close code (RFC 6455, 7.4, and IANA's registry; 4000-4999 are an application's own). */
  readonly code: number;
  /** Close reason, at most 123 bytes of UTF-8. */
  readonly reason: string;
  readonly reconnect: boolean;
  /** Least pause before the first try to reconnect. After it, clients back off with jitter. */
  readonly reconnectAfterMs: number;
};

/** The server sends each of them. Only the code is sure to reach a client, so each has its own. */
export const closeReasons = {
  /** The client is broken, and would be again: a person or a new release has to look at it. */
  badFrames: { code: 1008, reason: 'too many bad frames', reconnect: false, reconnectAfterMs: 0 },
  /** The frame was not read; sent again, it ends the next connection too. */
  frameTooLarge: {
    code: 1009,
    reason: 'frame is larger than 64 KiB',
    reconnect: true,
    reconnectAfterMs: 1_000,
  },
  /** Spread over time by the server already, so the client need not wait. */
  restarting: { code: 1012, reason: 'server is restarting', reconnect: true, reconnectAfterMs: 0 },
  /** A request may have taken effect or not. Repeated with its UUID on a new connection, its answer tells. */
  outcomeUnknown: {
    code: 1013,
    reason: 'server busy, repeat what was not answered',
    reconnect: true,
    reconnectAfterMs: 1_000,
  },
  /**
   * The user has a newer credential, or an operator ended this one: it is good for nothing any more. A client that comes
   * back with it is refused at its sign-in, and has to verify the number again.
   */
  credentialEnded: {
    code: 4401,
    reason: 'the credential of this session has ended',
    reconnect: true,
    reconnectAfterMs: 1_000,
  },
  /** The connection looks alive and acknowledges nothing: a new one starts clean and gets all of it again. */
  notAcknowledged: {
    code: 4408,
    reason: 'deliveries were not acknowledged',
    reconnect: true,
    reconnectAfterMs: 0,
  },
  /** The user is on more connections than one user may have; the one that signed in first goes. */
  tooManyConnections: {
    code: 4409,
    reason: 'user has too many connections',
    reconnect: true,
    reconnectAfterMs: 60_000,
  },
  /** A connection on which nobody signs in does not stay for ever. */
  signInTimeout: {
    code: 4410,
    reason: 'nobody signed in in time',
    reconnect: true,
    reconnectAfterMs: 1_000,
  },
  /** Nobody keeps half a message for ever. A client that is quiet sends keep-alives; one that does not comes back. */
  messageTimeout: {
    code: 4411,
    reason: 'no whole message came in time',
    reconnect: true,
    reconnectAfterMs: 1_000,
  },
  /** The client went on beyond its rate after it was told. What it sent before that may have had its effect: repeat it with its id. */
  tooFast: {
    code: 4429,
    reason: 'too many frames or bytes, send more slowly',
    reconnect: true,
    reconnectAfterMs: 10_000,
  },
} as const satisfies Record<string, CloseReason>;

/**
 * For every other code, and for 1006: the connection broke without a close frame. That of a client that reads too
 * slowly breaks like that, too: no close frame gets past the bytes that it has not read.
 */
const lostConnection = { reconnect: true, reconnectAfterMs: 1_000 };

/** @returns what a client should do when its connection was closed with this code */
export function reconnectAdvice(code: number): Pick<CloseReason, 'reconnect' | 'reconnectAfterMs'> {
  const known = Object.values(closeReasons).find((reason) => reason.code === code) ?? lostConnection;
  return { reconnect: known.reconnect, reconnectAfterMs: known.reconnectAfterMs };
}
