import { frameBytesMax } from '@hooligram/protocol/limits';

const encoder = new TextEncoder();
/** A UTF-16 unit has at most so many bytes in JSON: an escape such as `\u0000`. */
const bytesPerUnitMax = 6;
const id = '00000000-0000-4000-8000-000000000000';

/** How many bytes a frame has more than the server takes; 0 when it fits. */
export function frameBytesOver(frame: object): number {
  return Math.max(0, encoder.encode(JSON.stringify(frame)).length - frameBytesMax);
}

/**
 * How many bytes a message is too long for `send`, which would reject it as `too-large`. 0 when it fits, so that an
 * app can say it while the text is being written.
 */
export function messageBytesOver(groupId: number, content: string): number {
  if (content.length * bytesPerUnitMax < frameBytesMax / 2) return 0;
  return frameBytesOver({ id, type: 'MESSAGING_SEND_REQUEST', payload: { group_id: groupId, content } });
}
