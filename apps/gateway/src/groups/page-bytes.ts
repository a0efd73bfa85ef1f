import type { StoredMessage } from '@hooligram/contract';

/** No page that a core answers has more, unless it is of one message. */
export const pageBytesMax = 256 * 1_024;

export const frameBytes = ([, , frame]: StoredMessage) => Buffer.byteLength(frame);

/** @returns the bytes of all their frames */
export const bytesOf = (messages: readonly StoredMessage[]) =>
  messages.reduce((sum, message) => sum + frameBytes(message), 0);
