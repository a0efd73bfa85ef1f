import { randomUUID } from 'node:crypto';
import type { MobileHabits } from '@hooligram/conformance';
import { type ClientRequestType, mayRetry, type PayloadOf } from '@hooligram/protocol';
import type { Random } from '../random.ts';
import type { Answer, Attempt } from '../verdict/ledger.ts';
import { now } from './clock.ts';
import type { Connection, ServerFrame } from './connection.ts';

type Request = {
  readonly id: string;
  readonly type: ClientRequestType;
  readonly payload: PayloadOf<ClientRequestType>;
  readonly attempts: Attempt[];
  /** Some clients give up when the server is busy: such a request must have had no effect. */
  readonly givesUp: boolean;
  /** Goes out once: when its connection breaks before the answer, nobody knows what became of it. */
  readonly isOnce: boolean;
  readonly resolve: (answer: Answer) => void;
};

const busyPauseMs = 1_000;

/**
 * A device's requests that have no final answer yet, in the order of their making. Each has a UUID, goes out at
 * once if there is a connection, and again, the very same, on every next connection, until it is answered. The
 * messages of the mobile client have the time for an id, and go out once.
 */
export class Outbox {
  readonly #requests = new Map<string, Request>();
  readonly #random: Random;
  readonly #habits: MobileHabits | undefined;
  #line: { readonly connection: Connection; readonly number: number } | undefined;

  constructor(random: Random, habits?: MobileHabits) {
    this.#random = random;
    this.#habits = habits;
  }

  /** Whether a request of this type goes out once only, under an id that is no UUID. */
  sendsOnce(type: ClientRequestType): boolean {
    return this.#habits !== undefined && type === 'MESSAGING_SEND_REQUEST';
  }

  get size(): number {
    return this.#requests.size;
  }

  /**
   * Makes a request.
   * @param record writes it into the ledger, with the list to which its attempts will be added
   */
  submit<T extends ClientRequestType>(
    type: T,
    payload: PayloadOf<T>,
    record: (id: string, attempts: Attempt[]) => void,
    { givesUp = false } = {},
  ): Promise<Answer> {
    const isOnce = this.sendsOnce(type);
    const id = (isOnce && this.#habits?.nextId()) || randomUUID();
    const attempts: Attempt[] = [];
    record(id, attempts);
    return new Promise((resolve) => {
      const request: Request = { id, type, payload, attempts, givesUp: givesUp || isOnce, isOnce, resolve };
      this.#requests.set(id, request);
      this.#attempt(request);
    });
  }

  /** A connection has signed in: everything without an answer goes out again, in order. */
  attach(connection: Connection, number: number): void {
    this.#line = { connection, number };
    for (const request of this.#requests.values()) this.#attempt(request);
  }

  detach(): void {
    this.#line = undefined;
    for (const { id, isOnce, attempts, resolve } of this.#requests.values()) {
      if (!isOnce || attempts.length === 0) continue;
      this.#requests.delete(id);
      resolve({ ok: false, at: now(), errors: ['the connection broke before the answer'] });
    }
  }

  /** @returns whether it was the answer to one of these */
  receive({ id, type, payload }: ServerFrame): boolean {
    const request = this.#requests.get(id);
    if (!request || type.endsWith('_REQUEST')) return false;
    const attempt = request.attempts.at(-1);
    if (attempt) attempt.answer = answerOf(type, payload);
    if (!attempt?.answer) return true;
    const { answer } = attempt;
    const hasEffect = request.attempts.some((earlier) => earlier.answer === undefined);
    if (!answer.ok && mayRetry(answer.errors) && (hasEffect || !request.givesUp)) {
      const { connection } = this.#line ?? {};
      setTimeout(
        () => {
          // On a later connection it has gone out again already.
          if (connection === this.#line?.connection && this.#requests.has(id)) this.#attempt(request);
        },
        busyPauseMs * (0.5 + this.#random.next()),
      );
      return true;
    }
    this.#requests.delete(id);
    request.resolve(answer);
    return true;
  }

  #attempt({ id, type, payload, attempts }: Request): void {
    if (!this.#line) return;
    const { connection, number } = this.#line;
    attempts.push({ connection: number, at: now() });
    connection.send(type, id, payload);
  }
}

function answerOf(type: string, { message_id, group_id, errors = [] }: ServerFrame['payload']): Answer {
  if (!type.endsWith('_SUCCESS')) return { ok: false, at: now(), errors };
  return {
    ok: true,
    at: now(),
    ...(message_id === undefined ? {} : { messageId: message_id }),
    ...(group_id === undefined ? {} : { groupId: group_id }),
  };
}
