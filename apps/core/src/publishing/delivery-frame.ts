import { encodeFrame, messageDeliveryId } from '@hooligram/protocol';
import type { StoredMessage } from './messages.ts';

/** The `MESSAGING_DELIVER_REQUEST` of a message: encoded once, and always the same text for every recipient. */
export function deliveryFrame(message: Omit<StoredMessage, 'version' | 'seq' | 'trace'>): string {
  const { group_id, message_id, content, date_created, sender_sid } = message;
  return encodeFrame('MESSAGING_DELIVER_REQUEST', messageDeliveryId(group_id, message_id), {
    content,
    date_created,
    group_id,
    message_id,
    sender_sid,
  });
}
