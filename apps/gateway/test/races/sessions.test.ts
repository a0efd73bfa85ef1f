import { closeReasons, errorTexts } from '@hooligram/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, Fixture, metric, type SignedInClient } from '../fixture.ts';
import type { StoredGroup } from '../stored-group.ts';

const ordinary = 0;
/** Gives up soon. */
const impatient = 1;
/** Lets three requests wait. */
const narrow = 2;

const { code, reason } = closeReasons.outcomeUnknown;
let fixture: Fixture;

beforeAll(async () => {
  fixture = await Fixture.start(
    {},
    {
      // Long enough for what is answered, on a busy machine too.
      REQUEST_DEADLINE_MS: '2000',
      REQUEST_REPEAT_MS: '3000',
      REQUEST_SETTLE_MS: '1',
      REQUEST_PATIENCE_MS: '5001',
    },
    { SESSION_QUEUE_MAX: '3', SESSION_RUN_MAX: '2' },
  );
});

// A test that failed half way leaves nothing to the next one.
afterEach(() => {
  for (const proxy of fixture.redisProxies) proxy.reset();
});

afterAll(() => fixture?.stop());

function send({ client }: SignedInClient, group: StoredGroup, ...contents: string[]): void {
  for (const content of contents)
    client.send('MESSAGING_SEND_REQUEST', { group_id: group.id, content }, content);
}

async function nextSend(content: string) {
  return fixture.core.next('MESSAGING_SEND', (params) => params.content === content);
}

/** What a user has request of the core for a group, in order. */
function requestsBy({ user }: SignedInClient, group: StoredGroup): string[] {
  return fixture.core.received.flatMap(({ type, params }) => {
    const { user_id, group_id, content } = params as {
      user_id?: number;
      group_id?: number;
      content?: string;
    };
    return user_id === user.userId && group_id === group.id ? [content ?? type] : [];
  });
}

describe('the requests of one connection', () => {
  test('never overlap at the core, go there in bursts of one type, and keep their order', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob]);
    const [a, b] = [await fixture.connectAs(ada, [group]), await fixture.connectAs(bob, [group])];
    const showsWhatWasRequested = async (content: string) => {
      send(b, group, content);
      await (await nextSend(content)).succeed({ message_id: 1 });
      return requestsBy(a, group);
    };

    send(a, group, 'one');
    const first = await nextSend('one');
    send(a, group, 'two', 'three');
    a.client.send('GROUP_ADD_MEMBER_REQUEST', { group_id: group.id, member_sid: bob.sid }, 'add');
    send(a, group, 'four');
    a.client.send('GROUP_LEAVE_REQUEST', { group_id: group.id }, 'leave');
    send(a, group, 'five');

    // The gateway has all of them.
    await a.client.roundTrip();
    expect(await showsWhatWasRequested('a')).toEqual(['one']);
    await first.succeed({ message_id: 1 });
    // What waited meanwhile goes together, as far as it is of one type.
    const [second, third] = [await nextSend('two'), await nextSend('three')];
    await second.succeed({ message_id: 2 });
    expect(await showsWhatWasRequested('b')).toEqual(['one', 'two', 'three']);
    // Answered at once, although everything else waits.
    await a.client.roundTrip();
    await third.succeed({ message_id: 3 });
    const adding = await fixture.core.next('GROUP_ADD_MEMBER', ({ group_id }) => group_id === group.id);
    expect(await showsWhatWasRequested('c')).toEqual(['one', 'two', 'three', 'GROUP_ADD_MEMBER']);
    await adding.succeed({});
    const fourth = await nextSend('four');
    expect(await showsWhatWasRequested('d')).toHaveLength(5);
    await fourth.succeed({ message_id: 4 });
    const leaving = await fixture.core.next('GROUP_LEAVE', ({ group_id }) => group_id === group.id);
    expect(await showsWhatWasRequested('e')).toHaveLength(6);
    await leaving.succeed({ state: group.remove(ada) });
    await (await nextSend('five')).refuse(errorTexts.notAMember.text);
    await a.client.next(({ type, id }) => type === 'MESSAGING_SEND_FAILURE' && id === 'five');
    expect(requestsBy(a, group)).toEqual([
      'one',
      'two',
      'three',
      'GROUP_ADD_MEMBER',
      'four',
      'GROUP_LEAVE',
      'five',
    ]);
    const answered = a.client.frames.filter(({ type }) => /^(MESSAGING_SEND|GROUP_(ADD|LEAVE))/.test(type));
    expect(answered.map(({ id }) => id)).toEqual(['one', 'two', 'three', 'add', 'four', 'leave', 'five']);
  });

  test('wait in a queue of bounded length: a request that finds no place is refused at once', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada]);
    const a = await fixture.connectAs(ada, [group], narrow);
    a.client.send('GROUP_LEAVE_REQUEST', { group_id: group.id }, 'leave');
    const leaving = await fixture.core.next('GROUP_LEAVE', ({ group_id }) => group_id === group.id);
    send(a, group, 'w1', 'w2', 'w3', 'w4');
    const refused = await a.client.next(({ id }) => id === 'w4');
    expect(refused).toMatchObject({ type: 'MESSAGING_SEND_FAILURE', payload: { errors: ['server busy'] } });
    expect(requestsBy(a, group)).toEqual(['GROUP_LEAVE']);
    await leaving.succeed({ state: null });
    await Promise.all([nextSend('w1'), nextSend('w2')]);
    expect(requestsBy(a, group)).toEqual(['GROUP_LEAVE', 'w1', 'w2']);
    a.client.terminate();
  });

  test('that the core never answers end it with 1013: what became of them is not known', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada]);
    const a = await fixture.connectAs(ada, [group], impatient);
    send(a, group, 'into the dark');
    const request = await nextSend('into the dark');
    expect(await a.client.closed).toEqual({ code, reason });
    expect(a.client.frames.filter(({ id }) => id === 'into the dark')).toEqual([]);
    // An answer that comes after all does no harm.
    await request.succeed({ message_id: 1 });
    const other = await fixture.connectAs(fixture.user(), [], impatient);
    await other.settled();
  });

  test('are answered once: a second answer, of the same core or another, is dropped', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada]);
    const a = await fixture.connectAs(ada, [group]);
    send(a, group, 'once');
    const request = await nextSend('once');
    await request.succeed({ message_id: 7 });
    await fixture.core.answer(request.node, request.ref, { message_id: 8 });
    await a.settled();
    const answers = a.client.frames.filter(({ id }) => id === 'once');
    expect(answers.map(({ payload }) => payload.message_id)).toEqual([7]);
  });
});

describe('a late answer', () => {
  test('to a connection that is gone reaches no other of the same gateway', async () => {
    const [ada, bob] = [fixture.user(), fixture.user()];
    const group = fixture.group([ada, bob]);
    const [a, b] = [await fixture.connectAs(ada, [group]), await fixture.connectAs(bob, [group])];
    send(a, group, 'late');
    const request = await nextSend('late');
    a.client.terminate();
    await request.succeed({ message_id: 17 });
    await b.settled();
    expect(b.client.frames.filter(({ id }) => id === 'late')).toEqual([]);
  });

  test('to an earlier process of a gateway never reaches a client of the next one', async () => {
    const restarted = await fixture.system.addGateway();
    const index = fixture.system.gateways.indexOf(restarted);
    const ask = async (content: string) => {
      const user = fixture.user();
      const client = await fixture.connectAs(user, [], index);
      const group = fixture.group([user]);
      send(client, group, content);
      return { client, request: await nextSend(content) };
    };
    const before = await ask('before');
    await restarted.kill();
    await restarted.start();
    const { client, request } = await ask('after');
    // Both processes count their requests from one: the numbers are the same, and only the names tell them apart.
    expect(request.ref).toBe(before.request.ref);
    expect(request.node).not.toBe(before.request.node);
    expect(await fixture.listeners(fixture.core.names.gateway(before.request.node))).toBe(0);
    await before.request.succeed({ message_id: 666 });
    await client.settled();
    expect(client.client.frames.filter(({ id }) => id === 'after')).toEqual([]);
    await request.succeed({ message_id: 1 });
    const answer = await client.client.next(({ id }) => id === 'after');
    expect(answer.payload.message_id).toBe(1);
  });
});

describe('a subscription to a channel', () => {
  test('that begins as the connection closes is given up afterwards', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada]);
    const { names } = fixture.core;
    const client = await fixture.connect();
    const proxy = fixture.redisProxy(ordinary);
    const request = await fixture.requestSignIn(client, ada);
    proxy.forget();
    proxy.hold('subscriber', 'toRedis');
    await request.succeed({ user_id: ada.userId, sid: ada.sid, group_ids: [group.id] });
    await proxy.untilSent('subscriber', names.user(ada.userId));
    const users = await metric(fixture.system.gateway(ordinary), 'gateway_users');
    client.terminate();
    await eventually(
      async () => (await metric(fixture.system.gateway(ordinary), 'gateway_users')) === users - 1,
      'the gateway has noticed',
    );
    proxy.release('subscriber', 'toRedis');
    // Another user signs in behind it through the same proxy, so what was to be sent for the first one has been sent.
    const b = await fixture.connectAs(fixture.user());
    await b.settled();
    expect(await fixture.listeners(names.user(ada.userId))).toBe(0);
    expect(await fixture.listenersOf(group)).toBe(0);
    expect(
      fixture.core.received.filter(
        ({ type, params }) =>
          type === 'REPLAY_GROUPS' && 'user_id' in params && params.user_id === ada.userId,
      ),
    ).toEqual([]);
  });

  test('of a group that begins as the connection closes is given up afterwards', async () => {
    const ada = fixture.user();
    const a = await fixture.connectAs(ada);
    const group = fixture.group([ada]);
    const proxy = fixture.redisProxy(ordinary);
    proxy.forget();
    proxy.hold('subscriber', 'toRedis');
    await fixture.core.publish.stateTo(ada.userId, group.state());
    await proxy.untilSent('subscriber', fixture.core.names.group(group.id));
    const users = await metric(fixture.system.gateway(ordinary), 'gateway_users');
    a.client.terminate();
    await eventually(
      async () => (await metric(fixture.system.gateway(ordinary), 'gateway_users')) === users - 1,
      'the gateway has noticed',
    );
    proxy.release('subscriber', 'toRedis');
    const b = await fixture.connectAs(fixture.user());
    await b.settled();
    expect(await fixture.listenersOf(group)).toBe(0);
    expect(await fixture.listeners(fixture.core.names.user(ada.userId))).toBe(0);
  });

  test('of a second sign-in waits for the confirmation that the first one waits for', async () => {
    const ada = fixture.user();
    const sentinel = fixture.sentinel(ada);
    const { names } = fixture.core;
    const proxy = fixture.redisProxy(ordinary);
    const clients = [await fixture.connect(), await fixture.connect()] as const;
    const first = await fixture.requestSignIn(clients[0], ada);
    const second = await fixture.requestSignIn(clients[1], ada);
    proxy.forget();
    proxy.hold('subscriber', 'toRedis');
    const answer = { user_id: ada.userId, sid: ada.sid, group_ids: [sentinel.id] };
    await first.succeed(answer);
    await proxy.untilSent('subscriber', names.user(ada.userId));
    await second.succeed(answer);
    // A sign-in that comes now is at the core before either of the two.
    const requests = fixture.core.received.length;
    const [stranger] = [await fixture.connect()];
    await fixture.requestSignIn(stranger, fixture.user());
    expect(fixture.core.received.slice(requests).map(({ type }) => type)).toEqual(['AUTHORIZATION_SIGN_IN']);
    expect(await fixture.listeners(names.user(ada.userId))).toBe(0);
    for (const client of clients) expect(client.received('GROUP_DELIVER_REQUEST')).toEqual([]);
    proxy.release('subscriber', 'toRedis');
    for (const client of clients) {
      const request = await fixture.nextRead(ada);
      expect(await fixture.listenersOf(sentinel)).toBe(1);
      await request.succeed(fixture.snapshots(sentinel));
      await client.next('AUTHORIZATION_SIGN_IN_SUCCESS');
    }
    for (const client of clients) await client.next('GROUP_DELIVER_REQUEST');
    for (const client of clients) await client.close();
    await eventually(async () => (await fixture.listeners(names.user(ada.userId))) === 0, 'nobody listens');
    await eventually(async () => (await fixture.listenersOf(sentinel)) === 0, 'nor to the group');
  });

  test('lasts while one of several connections needs it', async () => {
    const ada = fixture.user();
    const group = fixture.group([ada]);
    const [one, two] = [await fixture.connectAs(ada, [group]), await fixture.connectAs(ada, [group])];
    const connections = await metric(fixture.system.gateway(ordinary), 'gateway_connections');
    await one.client.close();
    await eventually(
      async () => (await metric(fixture.system.gateway(ordinary), 'gateway_connections')) === connections - 1,
      'the gateway has noticed',
    );
    await fixture.core.publish.message(group.store());
    await two.has(group, 1);
    await two.client.close();
    await eventually(async () => (await fixture.listenersOf(group)) === 0, 'nobody listens');
  });
});
