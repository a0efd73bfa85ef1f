import { hooligramCodec } from './hooligram-codec.ts';
import { socketioCodec } from './socketio-codec.ts';

/** What a server sends, as far as it matters to the load generator. */
export type ServerEvents = {
  /** The server takes requests now. */
  onReady(): void;
  /** @param number the beginning of the content: the number of the message in its stream, from 0 */
  onMessage(groupId: number, messageId: number, number: number): void;
  onGroup(groupId: number): void;
  /** @param payload parses the answer; for a refusal, its errors */
  onReply(id: string, isSuccess: boolean, payload: () => unknown): void;
};

export type RequestName =
  | 'VERIFICATION_REQUEST_CODE'
  | 'VERIFICATION_SUBMIT_CODE'
  | 'AUTHORIZATION_SIGN_IN'
  | 'GROUP_CREATE'
  | 'GROUP_LEAVE'
  | 'MESSAGING_SEND';

/** How the frames of one protocol are written and read. All text is ASCII. */
export type Codec = {
  /** The first frame, sent when the socket is open; undefined if requests may follow at once. */
  readonly greeting: string | undefined;
  /** A new id for a request. */
  newId(): string;
  request(name: RequestName, id: string, payload: object): string;
  acknowledgeMessage(messageId: number): string;
  /** Undefined if groups are not acknowledged. */
  acknowledgeGroup(groupId: number): string | undefined;
  /**
   * Reads one text frame, which stands in `chunk` from `start` to `end`, and calls the event that it is.
   * @returns the frame to send back at once, such as a pong; undefined for none
   */
  read(chunk: string, start: number, end: number, events: ServerEvents): string | undefined;
};

export const codecs = { hooligram: hooligramCodec, socketio: socketioCodec } satisfies Record<string, Codec>;

export type CodecName = keyof typeof codecs;
