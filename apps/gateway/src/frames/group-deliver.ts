import { acknowledgeState } from '../delivery/acknowledge.ts';
import { type AcknowledgementHandler, countRefusal } from './handler.ts';

export const groupDelivered: AcknowledgementHandler<'GROUP_DELIVER_SUCCESS'> = (
  context,
  session,
  { payload },
) => acknowledgeState(context, session.connection, payload.group_id);

export const groupRefused: AcknowledgementHandler<'GROUP_DELIVER_FAILURE'> = countRefusal;
