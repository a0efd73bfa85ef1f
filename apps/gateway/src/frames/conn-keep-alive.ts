import { encodeFrame } from '@hooligram/protocol';
import type { Session } from '../session.ts';
import type { FrameHandler } from './handler.ts';

/**
 * Answered here and at once, whatever waits in the session's queue. Only one with `after_groups` waits until the states of all groups were sent.
 */
export const connKeepAlive: FrameHandler<'CONN_KEEP_ALIVE_REQUEST'> = (
  _context,
  session,
  { id, payload },
) => {
  if (payload.after_groups && session.signIn) {
    const before = session.keepAliveAfterGroups;
    session.keepAliveAfterGroups = id;
    if (before !== undefined) reply(session, before, false);
    return;
  }
  reply(session, id, payload.after_groups === true && session.user !== undefined);
};

/** The newest sign-in is complete: a state of every group was sent on this connection. */
export function groupsWereSent(session: Session): void {
  const id = session.keepAliveAfterGroups;
  session.signIn = undefined;
  session.keepAliveAfterGroups = undefined;
  if (id !== undefined) reply(session, id, true);
}

function reply(session: Session, id: string, isAfterGroups: boolean): void {
  const payload = isAfterGroups ? { after_groups: true as const } : {};
  session.socket.sendLater(encodeFrame('CONN_KEEP_ALIVE_SUCCESS', id, payload));
}
