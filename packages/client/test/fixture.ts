import { phoneOf, sidOf } from '@hooligram/protocol';
import {
  startSystem,
  type TestSystem,
  type TestSystemOptions,
  uniqueSid,
  until,
  within,
} from '@hooligram/testkit';
import { afterAll, afterEach, beforeAll, jest } from '@jest/globals';
import { WebSocket } from 'ws';
import {
  type Client,
  type ClientEvents,
  type ClientOptions,
  type Credential,
  createClient,
  type Group,
  type Message,
} from '../src/index.ts';
import { type FrameGate, frameGate } from './frame-gate.ts';

export { until };

/** The code of everybody. */
export const code = '000000';

/** A client of the SDK, and all that it emitted. */
export type Member = {
  readonly client: Client;
  /** What signs in: the code until the number is verified, the token from then on. */
  credential: Credential;
  readonly sid: string;
  readonly messages: Message[];
  readonly groups: Group[];
  readonly removed: number[];
  readonly states: string[];
  readonly errors: unknown[];
};

/** The system of one test file. All that a test opened ends with the test. */
export type Fixture = {
  readonly system: TestSystem;
  gate(gateway: number): Promise<FrameGate>;
  /** A client that has not signed in. */
  client(url: string, options?: Partial<ClientOptions>, credential?: Credential): Member;
  /** A new user, who has verified their number and signed in. */
  member(url: string, options?: Partial<ClientOptions>): Promise<Member>;
};

export function createFixture(options: TestSystemOptions | (() => Promise<TestSystemOptions>)): Fixture {
  let system: TestSystem | undefined;
  const open: (() => unknown)[] = [];
  beforeAll(async () => {
    system = await startSystem(typeof options === 'function' ? await options() : options);
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((end) => end()));
  });
  afterAll(() => system?.stop());

  const fixture: Fixture = {
    get system() {
      if (!system) throw new Error('the system starts in beforeAll');
      return system;
    },
    async gate(gateway) {
      const gate = await frameGate(fixture.system.gateway(gateway).url);
      open.push(() => gate.stop());
      return gate;
    },
    client(url, clientOptions, credential = newCredential()) {
      const client = createClient({ url, WebSocket, ...clientOptions });
      open.push(() => client.close({ signal: AbortSignal.abort() }));
      const { country_code, phone_number } = credential;
      const member: Member = {
        client,
        credential,
        sid: sidOf(country_code, phone_number),
        messages: [],
        groups: [],
        removed: [],
        states: [],
        errors: [],
      };
      client.on('group', (group) => member.groups.push(group));
      client.on('groupRemoved', (groupId) => member.removed.push(groupId));
      client.on('state', ({ status }) => member.states.push(status));
      client.on('error', (error) => member.errors.push(error));
      return member;
    },
    async member(url, clientOptions) {
      const member = fixture.client(url, clientOptions);
      listen(member);
      await signUp(member);
      return member;
    },
  };
  return fixture;
}

/** Keeps the messages. */
export function listen(member: Member): void {
  member.client.on('message', (message) => member.messages.push(message));
}

/** Verifies the number and signs in. */
export async function signUp(member: Member): Promise<void> {
  const { client, credential } = member;
  await client.requestCode(credential);
  const token = await client.submitCode(code);
  await client.signIn({ ...credential, verification_code: code });
  if (token === undefined) throw new Error('the server made no token');
  member.credential = { ...credential, verification_code: token };
}

function newCredential(): Credential {
  return { ...phoneOf(uniqueSid()), verification_code: code };
}

/** Makes the direct message of two. @returns its `group_id`, when both have received it */
export async function introduce(one: Member, other: Member): Promise<number> {
  const received = Promise.all([next(one, 'group'), next(other, 'group')]);
  const groupId = await one.client.createGroup('', [other.sid]);
  await received;
  return groupId;
}

/** What a promise rejects with. */
export async function failing(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('it succeeded');
    },
    (error: unknown) => error,
  );
}

/** The next event that answers a question with true. */
export function next<E extends keyof ClientEvents>(
  member: Member,
  event: E,
  question: (...args: Parameters<ClientEvents[E]>) => boolean = () => true,
): Promise<Parameters<ClientEvents[E]>[0]> {
  const { client, states, errors, groups, messages } = member;
  const came = new Promise<Parameters<ClientEvents[E]>[0]>((resolve) => {
    const handler = (...args: Parameters<ClientEvents[E]>) => {
      if (!question(...args)) return;
      off();
      resolve(args[0]);
    };
    const off = client.on(event, handler as ClientEvents[E]);
  });
  return within(`for ${event}`, came, () => ({ states, errors, groups, messages: messages.slice(-20) }));
}

/** Resolves when the client is in a state. */
export async function reached(member: Member, status: string): Promise<void> {
  if (member.client.state.status !== status) await next(member, 'state', (state) => state.status === status);
}

/** Resolves when a member has all of these messages. */
export async function heard(member: Member, expected: readonly string[]): Promise<void> {
  while (!expected.every((content) => contents(member).includes(content))) await next(member, 'message');
}

export function contents({ messages }: Member): string[] {
  return messages.map(({ content }) => content);
}

/**
 * Timers and clocks go by the test from now on, until `jest.useRealTimers()`; sockets, processes and turns of the
 * event loop go on as they are. To be called when nothing of the test's own waits for a timer.
 */
export function takeTheClock(): void {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
}
