import { acknowledgeMessage } from '../delivery/acknowledge.ts';
import { type AcknowledgementHandler, countRefusal } from './handler.ts';

/** Matched by the message, never by the frame's id: the mobile client answers with an id of its own. */
export const messageDelivered: AcknowledgementHandler<'MESSAGING_DELIVER_SUCCESS'> = (
  context,
  session,
  { payload },
) => acknowledgeMessage(context, session.connection, payload.message_id);

export const messageRefused: AcknowledgementHandler<'MESSAGING_DELIVER_FAILURE'> = countRefusal;
