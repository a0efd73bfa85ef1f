import { isAcknowledgementType, isClientRequestType, isFrameType, readFrameHead } from '@hooligram/protocol';

const deliveries = ['"MESSAGING_DELIVER_REQUEST"', '"GROUP_DELIVER_REQUEST"'] as const;

/**
 * Whether a frame that is too large to be taken is one of the server's own that comes back. It is not parsed: a mebibyte
 * of short keys would hold everybody for 30 ms. One that begins as `JSON.stringify` writes it is known by its type; in
 * another form a delivery is known by its name, wherever it stands. No other frame of the server is so large.
 * @param bytes of one frame; not kept
 */
export function isSentBack(bytes: Uint8Array): boolean {
  const head = readFrameHead(bytes);
  if (head) {
    const { type } = head;
    return isFrameType(type) && !isClientRequestType(type) && !isAcknowledgementType(type);
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return deliveries.some((name) => text.includes(name));
}
