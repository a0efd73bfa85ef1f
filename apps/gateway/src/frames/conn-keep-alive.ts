import { encodeFrame } from '@hooligram/protocol';
import type { FrameHandler } from './handler.ts';

/** Answered here and at once, whatever waits in the session's queue. */
export const connKeepAlive: FrameHandler<'CONN_KEEP_ALIVE_REQUEST'> = (_context, session, { id }) => {
  session.socket.sendLater(encodeFrame('CONN_KEEP_ALIVE_SUCCESS', id, {}));
};
