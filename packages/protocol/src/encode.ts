import type { RequestLikeType } from './decode.ts';
import { type FrameType, frameFailureType, type PayloadOf } from './frame.ts';

/**
 * One frame as text, its keys always in the order id, type, payload, so that equal frames are equal texts.
 * Checks nothing: what the server sends comes from its own validated data.
 */
export function encodeFrame<T extends FrameType>(type: T, id: string, payload: PayloadOf<T>): string {
  return JSON.stringify({ id, type, payload });
}

/**
 * The FAILURE of a request, as text.
 * @param requestType of any request, also one that is not in the table
 * @param errors texts for the client; keep-alive's FAILURE has no field for them
 */
export function failure(requestType: RequestLikeType, id: string, errors: readonly string[]): string {
  const payload = requestType === 'CONN_KEEP_ALIVE_REQUEST' ? {} : { errors };
  const type = `${requestType.slice(0, -'REQUEST'.length)}FAILURE`;
  return JSON.stringify({ id, type, payload });
}

/** `CONN_FRAME_FAILURE`, as text. `id` is empty when the frame had no usable one. */
export function frameFailure(id: string, errors: readonly string[]): string {
  return encodeFrame(frameFailureType, id, { errors: [...errors] });
}
