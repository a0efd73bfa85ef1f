import type { Codec } from './codec.ts';
import { integerAfter } from './integer-after.ts';

let lastId = 0;

/**
 * Socket.IO 5 over Engine.IO 4, WebSocket only: `42<id>["event", payload]` is an event that wants an answer,
 * `43<id>[payload]` that answer, `2` and `3` ping and pong. The events are those of peers/socketio-node.ts.
 */
export const socketioCodec: Codec = {
  greeting: '40',
  newId() {
    lastId += 1;
    return String(lastId);
  },
  request: (name, id, payload) => `42${id}${JSON.stringify([name, payload])}`,
  acknowledgeMessage: (messageId) => `42["delivered",${messageId}]`,
  acknowledgeGroup: () => undefined,
  read(chunk, start, end, events) {
    if (chunk.startsWith('42["message"', start)) {
      events.onMessage(
        integerAfter(chunk, '"group_id":', start),
        integerAfter(chunk, '"message_id":', start),
        integerAfter(chunk, '"content":"', start),
      );
    } else if (chunk.startsWith('42["group"', start))
      events.onGroup(integerAfter(chunk, '"group_id":', start));
    else if (chunk.startsWith('43', start)) {
      const list = chunk.indexOf('[', start);
      const [answer] = JSON.parse(chunk.slice(list, end)) as [{ errors?: unknown }];
      events.onReply(chunk.slice(start + 2, list), answer.errors === undefined, () => answer);
    } else if (chunk.startsWith('40', start)) events.onReady();
    else if (chunk.startsWith('2', start)) return '3';
    return undefined;
  },
};
