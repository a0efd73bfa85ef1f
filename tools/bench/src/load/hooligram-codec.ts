import { randomUUID } from 'node:crypto';
import type { Codec } from './codec.ts';
import { integerAfter } from './integer-after.ts';

const idStart = '{"id":"';
const typeStart = '","type":"';
const message = 'MESSAGING_DELIVER_REQUEST"';
const group = 'GROUP_DELIVER_REQUEST"';

/**
 * Protocol V2. Frames are searched as text and not parsed, because that is cheaper: the server writes `id`, `type`,
 * `payload`, in this order. Request ids are UUIDs, which make a request safe to repeat.
 */
export const hooligramCodec: Codec = {
  greeting: undefined,
  newId: () => randomUUID(),
  request: (name, id, payload) => JSON.stringify({ id, type: `${name}_REQUEST`, payload }),
  acknowledgeMessage: (messageId) =>
    `{"id":"1","type":"MESSAGING_DELIVER_SUCCESS","payload":{"message_id":${messageId}}}`,
  acknowledgeGroup: (groupId) =>
    `{"id":"1","type":"GROUP_DELIVER_SUCCESS","payload":{"group_id":${groupId}}}`,
  read(chunk, start, end, events) {
    const idEnd = chunk.indexOf(typeStart, start);
    if (!chunk.startsWith(idStart, start) || idEnd < 0 || idEnd > end) {
      throw new Error(`a frame of another form: ${chunk.slice(start, Math.min(end, start + 200))}`);
    }
    const type = idEnd + typeStart.length;
    if (chunk.startsWith(message, type)) {
      events.onMessage(
        integerAfter(chunk, '"group_id":', type),
        integerAfter(chunk, '"message_id":', type),
        integerAfter(chunk, '"content":"', type),
      );
    } else if (chunk.startsWith(group, type)) events.onGroup(integerAfter(chunk, '"group_id":', type));
    else {
      const isSuccess = chunk.startsWith('_SUCCESS', chunk.indexOf('"', type) - '_SUCCESS'.length);
      const payload = () => (JSON.parse(chunk.slice(start, end)) as { payload: unknown }).payload;
      events.onReply(chunk.slice(start + idStart.length, idEnd), isSuccess, payload);
    }
    return undefined;
  },
};
