import type { Heard, RequestName, Speech } from './speech.ts';
import { LoadWebSocket } from './websocket.ts';

/** What the scene wants to know of its clients. */
export type ClientEvents = {
  onMessage(client: LoadClient, groupId: number, number: number): void;
  onGroup(client: LoadClient, groupId: number): void;
  /** @param what for a person to read */
  onFault(what: string): void;
};

type Answered = (isSuccess: boolean, payload: () => unknown) => void;

/** One person with one connection, who acknowledges every delivery at once. */
export class LoadClient implements Heard {
  readonly sid: string;
  readonly url: string;
  readonly #speech: Speech;
  readonly #code: string;
  readonly #events: ClientEvents;
  readonly #answers = new Map<string, Answered>();
  #socket: LoadWebSocket | undefined;
  #opened: (() => void) | undefined;
  #failed: ((error: Error) => void) | undefined;
  #isLeaving = false;

  constructor(sid: string, url: string, speech: Speech, code: string, events: ClientEvents) {
    this.sid = sid;
    this.url = url;
    this.#speech = speech;
    this.#code = code;
    this.#events = events;
  }

  connect(): Promise<void> {
    this.#isLeaving = false;
    return new Promise((resolve, reject) => {
      this.#opened = resolve;
      this.#failed = reject;
      // One that was left may still say something, or end, when the next one is open: nobody listens to it.
      const isCurrent = () => this.#socket === socket && !this.#isLeaving;
      const socket = new LoadWebSocket(this.url, {
        onOpen: () => (this.#speech.greeting ? socket.send(this.#speech.greeting) : this.onReady()),
        onText: (chunk, start, end) => isCurrent() && this.#hear(chunk, start, end),
        onClose: (reason) => isCurrent() && this.#closed(reason),
      });
      this.#socket = socket;
    });
  }

  /** Proves the number, so that the person exists and can sign in. */
  async signUp(): Promise<void> {
    const [country_code, phone_number] = this.sid.split('.');
    await this.ask('VERIFICATION_REQUEST_CODE', { country_code, phone_number });
    await this.ask('VERIFICATION_SUBMIT_CODE', { verification_code: this.#code });
  }

  async signIn(): Promise<void> {
    const [country_code, phone_number] = this.sid.split('.');
    await this.ask('AUTHORIZATION_SIGN_IN', { country_code, phone_number, verification_code: this.#code });
  }

  /** Connects somebody who has signed up before. */
  async arrive(): Promise<void> {
    await this.connect();
    await this.signIn();
  }

  /** @throws Error when it is refused, or the connection ends first */
  ask(name: RequestName, payload: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#failed = reject;
      this.request(name, payload, (isSuccess, answer) => {
        if (isSuccess) resolve(answer());
        else reject(new Error(`${name} was refused: ${JSON.stringify(answer())}`));
      });
    });
  }

  request(name: RequestName, payload: object, onAnswer: Answered): void {
    const id = this.#speech.newId();
    this.#answers.set(id, onAnswer);
    this.#socket?.send(this.#speech.request(name, id, payload));
  }

  leave(): void {
    this.#isLeaving = true;
    this.#answers.clear();
    this.#socket?.close();
  }

  onReady(): void {
    this.#opened?.();
  }

  onMessage(groupId: number, messageId: number, number: number): void {
    this.#socket?.send(this.#speech.acknowledgeMessage(messageId));
    this.#events.onMessage(this, groupId, number);
  }

  onGroup(groupId: number): void {
    const acknowledgement = this.#speech.acknowledgeGroup(groupId);
    if (acknowledgement) this.#socket?.send(acknowledgement);
    this.#events.onGroup(this, groupId);
  }

  onAnswer(id: string, isSuccess: boolean, payload: () => unknown): void {
    const answered = this.#answers.get(id);
    this.#answers.delete(id);
    answered?.(isSuccess, payload);
  }

  #hear(chunk: string, start: number, end: number): void {
    const reply = this.#speech.hear(chunk, start, end, this);
    if (reply) this.#socket?.send(reply);
  }

  #closed(reason: string): void {
    this.#events.onFault(`the connection of ${this.sid} ended: ${reason}`);
    this.#failed?.(new Error(`the connection of ${this.sid} ended: ${reason}`));
  }
}
