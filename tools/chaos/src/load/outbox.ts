import { randomUUID } from 'node:crypto';
import type { MobileHabits } from '@hooligram/conformance';
import { type ClientRequestType, mayRetry, type PayloadOf } from '@hooligram/protocol';
import type { ReceivedFrame } from '@hooligram/protocol-client';
import type { Answer, Attempt, History } from '../checker/history.ts';
import type { Random } from '../random.ts';
import type { Connection } from './connection.ts';

type Request = {
  readonly id: string;
  readonly type: ClientRequestType;
  readonly payload: PayloadOf<ClientRequestType>;
  readonly attempts: Attempt[];
  /** The client gives up when the server is busy: such a request must have had no effect. */
  readonly givesUp: boolean;
  /** It goes out once: when its connection breaks before the answer, its outcome is unknown. */
  readonly isOnce: boolean;
  readonly resolve: (answer: Answer) => void;
};

type RecordRequest = (id: string, attempts: Attempt[]) => void;

const busyPauseMs = 1_000;

/**
 * A device's requests that have no final answer yet, in the order in which they were made. Each has a UUID and goes out
 * at once if there is a connection, and again, unchanged, on every next connection, until it is answered. The messages
 * of the mobile client have the time as their id and go out once.
 *
 * Each request is in the history from the beginning. Its promise resolves with the final answer.
 */
export class Outbox {
  readonly #sid: string;
  readonly #history: History;
  readonly #random: Random;
  readonly #habits: MobileHabits | undefined;
  readonly #requests = new Map<string, Request>();
  #line: { readonly connection: Connection; readonly number: number } | undefined;

  constructor(sid: string, history: History, random: Random, habits?: MobileHabits) {
    this.#sid = sid;
    this.#history = history;
    this.#random = random;
    this.#habits = habits;
  }

  get size(): number {
    return this.#requests.size;
  }

  sendMessage(groupId: number, content: string, { givesUp = false } = {}): Promise<Answer> {
    const isOnce = this.#habits !== undefined;
    const record: RecordRequest = (id, attempts) =>
      this.#history.sends.push({ sid: this.#sid, id, attempts, groupId, content, isOnce });
    return this.#submit('MESSAGING_SEND_REQUEST', { group_id: groupId, content }, record, givesUp);
  }

  /** @returns the id of the group; undefined when it was refused */
  async createGroup(name: string, members: readonly string[]): Promise<number | undefined> {
    const payload = { group_name: name, member_sids: [...members] };
    const answer = await this.#submit('GROUP_CREATE_REQUEST', payload, (id, attempts) =>
      this.#history.changes.push({ type: 'create', sid: this.#sid, id, attempts, name, members }),
    );
    return answer.ok ? answer.groupId : undefined;
  }

  addMember(groupId: number, member: string): Promise<Answer> {
    const payload = { group_id: groupId, member_sid: member };
    return this.#submit('GROUP_ADD_MEMBER_REQUEST', payload, (id, attempts) =>
      this.#history.changes.push({ type: 'add', sid: this.#sid, id, attempts, groupId, member }),
    );
  }

  leaveGroup(groupId: number): Promise<Answer> {
    return this.#submit('GROUP_LEAVE_REQUEST', { group_id: groupId }, (id, attempts) =>
      this.#history.changes.push({ type: 'leave', sid: this.#sid, id, attempts, groupId }),
    );
  }

  /** A connection has signed in: every request without an answer goes out again, in order. */
  attach(connection: Connection, number: number): void {
    this.#line = { connection, number };
    for (const request of this.#requests.values()) this.#attempt(request);
  }

  detach(): void {
    this.#line = undefined;
    for (const { id, isOnce, attempts, resolve } of this.#requests.values()) {
      if (!isOnce || attempts.length === 0) continue;
      this.#requests.delete(id);
      resolve({ ok: false, at: performance.now(), errors: ['the connection broke before the answer'] });
    }
  }

  /** @returns whether the frame answers one of these requests */
  receive({ id, type, payload }: ReceivedFrame): boolean {
    const request = this.#requests.get(id);
    if (!request || type.endsWith('_REQUEST')) return false;
    const answer = answerOf(type, payload);
    const attempt = request.attempts.at(-1);
    if (attempt) attempt.answer = answer;
    // An attempt without an answer may have had an effect: such a request is not given up.
    const mayHaveEffect = request.attempts.some((earlier) => earlier.answer === undefined);
    if (!answer.ok && mayRetry(answer.errors) && (mayHaveEffect || !request.givesUp)) {
      this.#attemptLater(request);
      return true;
    }
    this.#requests.delete(id);
    request.resolve(answer);
    return true;
  }

  #submit<T extends ClientRequestType>(
    type: T,
    payload: PayloadOf<T>,
    record: RecordRequest,
    givesUp = false,
  ): Promise<Answer> {
    const isOnce = this.#habits !== undefined && type === 'MESSAGING_SEND_REQUEST';
    const id = (isOnce && this.#habits?.nextId()) || randomUUID();
    const attempts: Attempt[] = [];
    record(id, attempts);
    return new Promise((resolve) => {
      const request: Request = { id, type, payload, attempts, givesUp: givesUp || isOnce, isOnce, resolve };
      this.#requests.set(id, request);
      this.#attempt(request);
    });
  }

  /** After a pause, unless it has gone out again on a later connection. */
  #attemptLater(request: Request): void {
    const { connection } = this.#line ?? {};
    const pauseMs = busyPauseMs * (0.5 + this.#random.next());
    setTimeout(() => {
      if (connection === this.#line?.connection && this.#requests.has(request.id)) this.#attempt(request);
    }, pauseMs);
  }

  #attempt({ id, type, payload, attempts }: Request): void {
    if (!this.#line) return;
    const { connection, number } = this.#line;
    attempts.push({ connection: number, at: performance.now() });
    connection.send(type, id, payload);
  }
}

function answerOf(type: string, { message_id, group_id, errors = [] }: ReceivedFrame['payload']): Answer {
  if (!type.endsWith('_SUCCESS')) return { ok: false, at: performance.now(), errors };
  return {
    ok: true,
    at: performance.now(),
    ...(message_id === undefined ? {} : { messageId: message_id }),
    ...(group_id === undefined ? {} : { groupId: group_id }),
  };
}
