import { hooligramSpeech } from './hooligram-speech.ts';
import { socketioSpeech } from './socketio-speech.ts';

/** What a server may say that matters to the load generator. */
export type Heard = {
  /** May be spoken to. */
  onReady(): void;
  /** @param number what stands first in the content: which message of its sender in that group it is, from 0 */
  onMessage(groupId: number, messageId: number, number: number): void;
  onGroup(groupId: number): void;
  /** @param payload of a refusal the errors */
  onAnswer(id: string, isSuccess: boolean, payload: () => unknown): void;
};

export type RequestName =
  | 'VERIFICATION_REQUEST_CODE'
  | 'VERIFICATION_SUBMIT_CODE'
  | 'AUTHORIZATION_SIGN_IN'
  | 'GROUP_CREATE'
  | 'MESSAGING_SEND';

/** How one kind of server is spoken to. All text is ASCII. */
export type Speech = {
  /** Said when the socket is open; undefined if the server may be asked at once. */
  readonly greeting: string | undefined;
  /** A new id for a request. */
  newId(): string;
  request(name: RequestName, id: string, payload: object): string;
  acknowledgeMessage(messageId: number): string;
  /** Undefined if groups are not acknowledged. */
  acknowledgeGroup(groupId: number): string | undefined;
  /**
   * Looks at one text frame of a chunk.
   * @returns what to answer at once, such as a pong; undefined for nothing
   */
  hear(chunk: string, start: number, end: number, heard: Heard): string | undefined;
};

export const speeches = { hooligram: hooligramSpeech, socketio: socketioSpeech } satisfies Record<
  string,
  Speech
>;

export type SpeechName = keyof typeof speeches;
