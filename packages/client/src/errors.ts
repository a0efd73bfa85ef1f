import { mayRetry } from '@hooligram/protocol/error-texts';

/**
 * - `failure`: the server answered FAILURE; `errors` says why;
 * - `not-signed-in`: no user signed in here, so there is none to send it for;
 * - `too-large`: it does not fit into a frame, and was not sent;
 * - `connection-lost`: the connection broke before the answer came, and this request cannot be repeated safely;
 * - `closed`: the client was closed, or signed out, before the answer came.
 */
export type ErrorReason = 'failure' | 'not-signed-in' | 'too-large' | 'connection-lost' | 'closed';

/** Why a request did not succeed. One that was aborted rejects with its signal's reason instead. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly reason: ErrorReason;
  /** What the server's FAILURE said, one text for each fault; see "Error texts" in docs/protocol.md. */
  readonly errors: readonly string[];

  constructor(reason: ErrorReason, errors: readonly string[]) {
    super(errors.join('; '));
    this.reason = reason;
    this.errors = errors;
  }

  /** Whether the same request may succeed later as it is. */
  get mayRetry(): boolean {
    return this.reason === 'connection-lost' || mayRetry(this.errors);
  }
}

export function closedError(): RequestError {
  return new RequestError('closed', ['the client was closed or signed out']);
}
