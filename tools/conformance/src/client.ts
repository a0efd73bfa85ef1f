import { setTimeout as pause } from 'node:timers/promises';
import type { TransactionName } from '@hooligram/protocol';
import { ProtocolClient, type ProtocolClientOptions, type ReceivedFrame } from '@hooligram/protocol-client';
import { expectEqual, expectThat, Failure, shown } from './failure.ts';
import { readFrame } from './read-frame.ts';
import type { User } from './users.ts';

type ClientOptions = Required<Pick<ProtocolClientOptions, 'timeoutMs' | 'onExchange'>> & {
  readonly url: string;
  /** Whether deliveries are acknowledged as they come, by an id of the client's own. */
  readonly acknowledges: boolean;
  readonly quietMs: number;
  /** Called with what no server may ever send. */
  readonly onViolation: (what: string) => void;
};

export type Match = (frame: ReceivedFrame) => boolean;

export const deliveryOf =
  (message_id: number | undefined): Match =>
  ({ type, payload }) =>
    type === 'MESSAGING_DELIVER_REQUEST' && payload.message_id === message_id;

export const stateOf =
  (group_id: number | undefined): Match =>
  ({ type, payload }) =>
    type === 'GROUP_DELIVER_REQUEST' && payload.group_id === group_id;

export class Client extends ProtocolClient {
  readonly #quietMs: number;
  #user: User | undefined;

  constructor({ url, acknowledges, timeoutMs, quietMs, onExchange, onViolation }: ClientOptions) {
    super(url, {
      timeoutMs,
      acknowledge: acknowledges,
      onExchange,
      readFrame: (text) => {
        const frame = readFrame(text);
        if (typeof frame !== 'string') return frame;
        onViolation(`${frame}: ${shown(text)}`);
        return undefined;
      },
    });
    this.#quietMs = quietMs;
  }

  /** The user who is signed in here, as the check knows. */
  get user(): User {
    if (!this.#user) throw new Error('nobody is signed in here');
    return this.#user;
  }

  set user(user: User) {
    this.#user = user;
  }

  get isSignedIn(): boolean {
    return this.#user !== undefined && this.socket.readyState === this.socket.OPEN;
  }

  get sid(): string {
    return this.user.sid;
  }

  /** Sends a request that must succeed. @returns the payload of its SUCCESS */
  async succeed(name: TransactionName, payload: unknown, id?: string): Promise<ReceivedFrame['payload']> {
    const answer = await this.request(name, payload, id);
    expectThat(answer.type === `${name}_SUCCESS`, `${name}_REQUEST must succeed, got ${shown(answer)}`);
    return answer.payload;
  }

  /** Sends a request that must fail. @param errors exactly these; without it, any, but at least one */
  async refuse(
    name: TransactionName,
    payload: unknown,
    errors?: readonly string[],
    id?: string,
  ): Promise<void> {
    const answer = await this.request(name, payload, id);
    expectThat(
      answer.type === `${name}_FAILURE`,
      `${name}_REQUEST with ${shown(payload)} must fail, got ${shown(answer)}`,
    );
    if (name === 'CONN_KEEP_ALIVE') return;
    const got = answer.payload.errors ?? [];
    if (errors) expectEqual(got, errors, `errors of ${name}_REQUEST with ${shown(payload)}`);
    else expectThat(got.length > 0, `${name}_FAILURE must say why`);
  }

  /** The first frame that matches, here or yet to come. @param after how many frames are not looked at */
  first(match: Match, what: string, after = 0): Promise<ReceivedFrame> {
    return this.waitFor((frames) => frames.slice(after).find(match), what);
  }

  /** Fails if a frame matches that is here or comes within a while: nothing tells that a thing will never come. */
  async never(match: Match, what: string, after = 0): Promise<void> {
    await pause(this.#quietMs);
    const wrong = this.frames.slice(after).find(match);
    if (wrong) throw new Failure(`${what}, but it was sent ${shown(wrong)}`);
  }

  message(message_id: number | undefined, after = 0): Promise<ReceivedFrame> {
    return this.first(deliveryOf(message_id), `the delivery of message ${message_id}`, after);
  }

  /** The delivery of a group's state with these members, if they are given. */
  state(group_id: number | undefined, member_sids?: readonly string[], after = 0): Promise<ReceivedFrame> {
    const members = member_sids && [...member_sids].sort();
    const isSame = (sids: readonly string[] = []) =>
      !members || (sids.length === members.length && [...sids].sort().every((sid, i) => sid === members[i]));
    return this.first(
      (frame) => stateOf(group_id)(frame) && isSame(frame.payload.member_sids),
      `the delivery of group ${group_id}${members ? ` with the members ${members.join(', ')}` : ''}`,
      after,
    );
  }

  /** The messages of a group that came so far, each once, in the order in which they first came. */
  messagesOf(group_id: number | undefined): ReceivedFrame['payload'][] {
    const seen = new Map<number | undefined, ReceivedFrame['payload']>();
    for (const { payload } of this.received('MESSAGING_DELIVER_REQUEST')) {
      if (payload.group_id === group_id && !seen.has(payload.message_id))
        seen.set(payload.message_id, payload);
    }
    return [...seen.values()];
  }

  contentsOf(group_id: number | undefined): (string | undefined)[] {
    return this.messagesOf(group_id).map(({ content }) => content);
  }

  idsOf(group_id: number | undefined): (number | undefined)[] {
    return this.messagesOf(group_id).map(({ message_id }) => message_id);
  }

  /** Fails unless the connection lives and is served. */
  async isServed(): Promise<void> {
    await this.succeed('CONN_KEEP_ALIVE', {});
  }

  /** Waits for a close that the server makes. @param what causes it, as the beginning of a sentence */
  async closeByServer(timeoutMs: number, what: string): Promise<{ code: number; reason: string }> {
    const late = new AbortController();
    const close = await Promise.race([this.closed, pause(timeoutMs, undefined, { signal: late.signal })]);
    late.abort();
    expectThat(close !== undefined, `${what} must close the connection; it was open after ${timeoutMs} ms`);
    return close;
  }
}
