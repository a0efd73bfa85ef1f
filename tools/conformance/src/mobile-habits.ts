/** The pause after every close, with any code, before it opens the next connection. */
export const mobileReconnectMs = 1_000;

/**
 * What the mobile client of this protocol sends. Its store forwards every action to the server once
 * it has signed in: those of its own screens, which have no `id`, and every frame that it is sent. What comes before
 * waits for the sign-in. It acknowledges messages, under ids of its own, and never groups.
 *
 * It knows no connection: several clients of tests behave so on connections of theirs.
 */
export class MobileHabits {
  readonly #send: (text: string) => void;
  #hasSignedIn = false;
  #waiting: string[] = [];
  #lastId = 0;

  /** @param send writes a text to the connection of the moment, or drops it while there is none */
  constructor(send: (text: string) => void) {
    this.#send = send;
  }

  /** The time in milliseconds as text, as its requests are numbered. Never the same twice. */
  nextId(): string {
    this.#lastId = Math.max(this.#lastId + 1, Date.now());
    return String(this.#lastId);
  }

  /** Makes a request, or acknowledges. @returns its id */
  request(type: string, payload: object, id = this.nextId()): string {
    this.#send(JSON.stringify({ id, payload, type }));
    return id;
  }

  /** Something happens on its screens. */
  act(type: string, payload: object = {}): void {
    this.#forward(JSON.stringify({ payload, type }));
  }

  /** To be called with every frame that the server sent, before anything else is done with it. */
  receive(text: string, { type }: { readonly type: string }): void {
    this.#forward(JSON.stringify(JSON.parse(text)));
    if (type !== 'AUTHORIZATION_SIGN_IN_SUCCESS') return;
    this.#hasSignedIn = true;
    for (const action of this.#waiting.splice(0)) this.#send(action);
    this.act('SIGN_IN');
    this.act('GO_TO_HOME');
  }

  acknowledge(message_id: number): void {
    this.request('MESSAGING_DELIVER_SUCCESS', { message_id });
  }

  #forward(action: string): void {
    if (this.#hasSignedIn) this.#send(action);
    else this.#waiting.push(action);
  }
}
