import { randomUUID } from 'node:crypto';
import { integerAfter } from './integer-after.ts';
import type { Speech } from './speech.ts';

const idStart = '{"id":"';
const typeStart = '","type":"';
const message = 'MESSAGING_DELIVER_REQUEST"';
const group = 'GROUP_DELIVER_REQUEST"';

/**
 * Protocol V2. Frames are looked through as text, not parsed: what the server writes is `id`, `type`, `payload`, in
 * this order. Ids are UUIDs, as a client's are that wants to repeat safely.
 */
export const hooligramSpeech: Speech = {
  greeting: undefined,
  newId: () => randomUUID(),
  request: (name, id, payload) => JSON.stringify({ id, type: `${name}_REQUEST`, payload }),
  acknowledgeMessage: (messageId) =>
    `{"id":"1","type":"MESSAGING_DELIVER_SUCCESS","payload":{"message_id":${messageId}}}`,
  acknowledgeGroup: (groupId) =>
    `{"id":"1","type":"GROUP_DELIVER_SUCCESS","payload":{"group_id":${groupId}}}`,
  hear(chunk, start, end, heard) {
    const idEnd = chunk.indexOf(typeStart, start);
    if (!chunk.startsWith(idStart, start) || idEnd < 0 || idEnd > end) {
      throw new Error(`a frame of another form: ${chunk.slice(start, Math.min(end, start + 200))}`);
    }
    const type = idEnd + typeStart.length;
    if (chunk.startsWith(message, type)) {
      heard.onMessage(
        integerAfter(chunk, '"group_id":', type),
        integerAfter(chunk, '"message_id":', type),
        integerAfter(chunk, '"content":"', type),
      );
    } else if (chunk.startsWith(group, type)) heard.onGroup(integerAfter(chunk, '"group_id":', type));
    else {
      const isSuccess = chunk.startsWith('_SUCCESS', chunk.indexOf('"', type) - '_SUCCESS'.length);
      const payload = () => (JSON.parse(chunk.slice(start, end)) as { payload: unknown }).payload;
      heard.onAnswer(chunk.slice(start + idStart.length, idEnd), isSuccess, payload);
    }
    return undefined;
  },
};
