import { closeReasons, errorTexts } from '@hooligram/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, measured, type Present, Scene } from '../scene.ts';
import type { StoredGroup } from '../stored-group.ts';

const ordinary = 0;
/** Gives up soon, and lets three requests wait. */
const impatient = 1;

const { code, reason } = closeReasons.outcomeUnknown;
let scene: Scene;

beforeAll(async () => {
  scene = await Scene.start(
    {},
    {
      // Long enough for what is answered, on a busy machine too.
      REQUEST_DEADLINE_MS: '2000',
      REQUEST_REPEAT_MS: '3000',
      REQUEST_SETTLE_MS: '1',
      REQUEST_PATIENCE_MS: '5001',
      SESSION_QUEUE_MAX: '3',
      SESSION_RUN_MAX: '2',
    },
  );
});

// A test that failed half way leaves nothing to the next one.
afterEach(() => {
  for (const wire of scene.wires) wire.free();
});

afterAll(() => scene?.stop());

function send({ client }: Present, group: StoredGroup, ...contents: string[]): void {
  for (const content of contents)
    client.send('MESSAGING_SEND_REQUEST', { group_id: group.id, content }, content);
}

async function nextSend(content: string) {
  return scene.puppet.next('MESSAGING_SEND', (params) => params.content === content);
}

/** What a person has asked of the core for a group, in order. */
function askedBy({ person }: Present, group: StoredGroup): string[] {
  return scene.puppet.asked.flatMap(({ type, params }) => {
    const { user_id, group_id, content } = params as {
      user_id?: number;
      group_id?: number;
      content?: string;
    };
    return user_id === person.userId && group_id === group.id ? [content ?? type] : [];
  });
}

describe('the requests of one connection', () => {
  test('never overlap at the core, go there as runs of one type, and keep their order', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const group = scene.group([ada, bob]);
    const [a, b] = [await scene.enter(ada, [group]), await scene.enter(bob, [group])];
    const showsWhatIsAsked = async (content: string) => {
      send(b, group, content);
      await (await nextSend(content)).succeed({ message_id: 1 });
      return askedBy(a, group);
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
    expect(await showsWhatIsAsked('a')).toEqual(['one']);
    await first.succeed({ message_id: 1 });
    // What waited meanwhile goes together, as far as it is of one type.
    const [second, third] = [await nextSend('two'), await nextSend('three')];
    await second.succeed({ message_id: 2 });
    expect(await showsWhatIsAsked('b')).toEqual(['one', 'two', 'three']);
    // Answered at once, although everything else waits.
    await a.client.roundTrip();
    await third.succeed({ message_id: 3 });
    const adding = await scene.puppet.next('GROUP_ADD_MEMBER', ({ group_id }) => group_id === group.id);
    expect(await showsWhatIsAsked('c')).toEqual(['one', 'two', 'three', 'GROUP_ADD_MEMBER']);
    await adding.succeed({});
    const fourth = await nextSend('four');
    expect(await showsWhatIsAsked('d')).toHaveLength(5);
    await fourth.succeed({ message_id: 4 });
    const leaving = await scene.puppet.next('GROUP_LEAVE', ({ group_id }) => group_id === group.id);
    expect(await showsWhatIsAsked('e')).toHaveLength(6);
    await leaving.succeed({ state: group.remove(ada) });
    await (await nextSend('five')).refuse(errorTexts.notAMember.text);
    await a.client.next(({ type, id }) => type === 'MESSAGING_SEND_FAILURE' && id === 'five');
    expect(askedBy(a, group)).toEqual([
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

  test('wait in a line of bounded length: what finds no place is told so at once', async () => {
    const ada = scene.person();
    const group = scene.group([ada]);
    const a = await scene.enter(ada, [group], impatient);
    a.client.send('GROUP_LEAVE_REQUEST', { group_id: group.id }, 'leave');
    const leaving = await scene.puppet.next('GROUP_LEAVE', ({ group_id }) => group_id === group.id);
    send(a, group, 'w1', 'w2', 'w3', 'w4');
    const refused = await a.client.next(({ id }) => id === 'w4');
    expect(refused).toMatchObject({ type: 'MESSAGING_SEND_FAILURE', payload: { errors: ['server busy'] } });
    expect(askedBy(a, group)).toEqual(['GROUP_LEAVE']);
    await leaving.succeed({ state: null });
    await Promise.all([nextSend('w1'), nextSend('w2')]);
    expect(askedBy(a, group)).toEqual(['GROUP_LEAVE', 'w1', 'w2']);
    a.client.terminate();
  });

  test('that the core never answers end it with 1013: what became of them is not known', async () => {
    const ada = scene.person();
    const group = scene.group([ada]);
    const a = await scene.enter(ada, [group], impatient);
    send(a, group, 'into the dark');
    const asked = await nextSend('into the dark');
    expect(await a.client.closed).toEqual({ code, reason });
    expect(a.client.frames.filter(({ id }) => id === 'into the dark')).toEqual([]);
    // An answer that comes after all harms nobody.
    await asked.succeed({ message_id: 1 });
    const other = await scene.enter(scene.person(), [], impatient);
    await other.settled();
  });

  test('are answered once: a core that answers a second time, or another, is not heard', async () => {
    const ada = scene.person();
    const group = scene.group([ada]);
    const a = await scene.enter(ada, [group]);
    send(a, group, 'once');
    const asked = await nextSend('once');
    await asked.succeed({ message_id: 7 });
    await scene.puppet.answer(asked.node, asked.ref, { message_id: 8 });
    await a.settled();
    const answers = a.client.frames.filter(({ id }) => id === 'once');
    expect(answers.map(({ payload }) => payload.message_id)).toEqual([7]);
  });
});

describe('10: a late answer', () => {
  test('to a connection that is gone reaches nobody else of the same gateway', async () => {
    const [ada, bob] = [scene.person(), scene.person()];
    const group = scene.group([ada, bob]);
    const [a, b] = [await scene.enter(ada, [group]), await scene.enter(bob, [group])];
    send(a, group, 'late');
    const asked = await nextSend('late');
    a.client.terminate();
    await asked.succeed({ message_id: 17 });
    await b.settled();
    expect(b.client.frames.filter(({ id }) => id === 'late')).toEqual([]);
  });

  test('to an earlier process of a gateway never reaches a stranger at the next one', async () => {
    const restarted = await scene.system.addGateway();
    const index = scene.system.gateways.indexOf(restarted);
    const ask = async (content: string) => {
      const person = scene.person();
      const present = await scene.enter(person, [], index);
      const group = scene.group([person]);
      send(present, group, content);
      return { present, asked: await nextSend(content) };
    };
    const before = await ask('before');
    await restarted.kill();
    await restarted.start();
    const { present, asked } = await ask('after');
    // Both processes count their requests from one: the numbers are the same, and only the names tell them apart.
    expect(asked.ref).toBe(before.asked.ref);
    expect(asked.node).not.toBe(before.asked.node);
    expect(await scene.listeners(scene.puppet.names.gateway(before.asked.node))).toBe(0);
    await before.asked.succeed({ message_id: 666 });
    await present.settled();
    expect(present.client.frames.filter(({ id }) => id === 'after')).toEqual([]);
    await asked.succeed({ message_id: 1 });
    const answer = await present.client.next(({ id }) => id === 'after');
    expect(answer.payload.message_id).toBe(1);
  });
});

describe('26: listening', () => {
  test('that begins as the connection closes is given up afterwards', async () => {
    const ada = scene.person();
    const group = scene.group([ada]);
    const { names } = scene.puppet;
    const client = await scene.connect();
    const wire = scene.wire(ordinary);
    const asked = await scene.askSignIn(client, ada);
    wire.forget();
    wire.hold('subscriber', 'toRedis');
    await asked.succeed({ user_id: ada.userId, sid: ada.sid, group_ids: [group.id] });
    await wire.hears('subscriber', names.user(ada.userId));
    const people = await measured(scene.system.gateway(ordinary), 'gateway_users');
    client.terminate();
    await eventually(
      async () => (await measured(scene.system.gateway(ordinary), 'gateway_users')) === people - 1,
      'the gateway has noticed',
    );
    wire.release('subscriber', 'toRedis');
    // Another one signs in behind it on the same wire, so whatever was to be said about the first one is said.
    const b = await scene.enter(scene.person());
    await b.settled();
    expect(await scene.listeners(names.user(ada.userId))).toBe(0);
    expect(await scene.listenersOf(group)).toBe(0);
    expect(
      scene.puppet.asked.filter(
        ({ type, params }) =>
          type === 'REPLAY_GROUPS' && 'user_id' in params && params.user_id === ada.userId,
      ),
    ).toEqual([]);
  });

  test('to a group that begins as the connection closes is given up afterwards', async () => {
    const ada = scene.person();
    const a = await scene.enter(ada);
    const group = scene.group([ada]);
    const wire = scene.wire(ordinary);
    wire.forget();
    wire.hold('subscriber', 'toRedis');
    await scene.puppet.publish.stateTo(ada.userId, group.state());
    await wire.hears('subscriber', scene.puppet.names.group(group.id));
    const people = await measured(scene.system.gateway(ordinary), 'gateway_users');
    a.client.terminate();
    await eventually(
      async () => (await measured(scene.system.gateway(ordinary), 'gateway_users')) === people - 1,
      'the gateway has noticed',
    );
    wire.release('subscriber', 'toRedis');
    const b = await scene.enter(scene.person());
    await b.settled();
    expect(await scene.listenersOf(group)).toBe(0);
    expect(await scene.listeners(scene.puppet.names.user(ada.userId))).toBe(0);
  });

  test('of a second sign-in waits for the confirmation that the first one waits for', async () => {
    const ada = scene.person();
    const beacon = scene.beacon(ada);
    const { names } = scene.puppet;
    const wire = scene.wire(ordinary);
    const clients = [await scene.connect(), await scene.connect()] as const;
    const first = await scene.askSignIn(clients[0], ada);
    const second = await scene.askSignIn(clients[1], ada);
    wire.forget();
    wire.hold('subscriber', 'toRedis');
    const answer = { user_id: ada.userId, sid: ada.sid, group_ids: [beacon.id] };
    await first.succeed(answer);
    await wire.hears('subscriber', names.user(ada.userId));
    await second.succeed(answer);
    // Whoever asks now is at the core before either of the two.
    const requests = scene.puppet.asked.length;
    const [stranger] = [await scene.connect()];
    await scene.askSignIn(stranger, scene.person());
    expect(scene.puppet.asked.slice(requests).map(({ type }) => type)).toEqual(['AUTHORIZATION_SIGN_IN']);
    expect(await scene.listeners(names.user(ada.userId))).toBe(0);
    for (const client of clients) expect(client.received('GROUP_DELIVER_REQUEST')).toEqual([]);
    wire.release('subscriber', 'toRedis');
    for (const client of clients) {
      const asked = await scene.nextRead(ada);
      expect(await scene.listenersOf(beacon)).toBe(1);
      await asked.succeed(scene.read(beacon));
      await client.next('AUTHORIZATION_SIGN_IN_SUCCESS');
    }
    for (const client of clients) await client.next('GROUP_DELIVER_REQUEST');
    for (const client of clients) await client.close();
    await eventually(async () => (await scene.listeners(names.user(ada.userId))) === 0, 'nobody listens');
    expect(await scene.listenersOf(beacon)).toBe(0);
  });

  test('goes on as long as one of several connections needs it', async () => {
    const ada = scene.person();
    const group = scene.group([ada]);
    const [one, two] = [await scene.enter(ada, [group]), await scene.enter(ada, [group])];
    const connections = await measured(scene.system.gateway(ordinary), 'gateway_connections');
    await one.client.close();
    await eventually(
      async () => (await measured(scene.system.gateway(ordinary), 'gateway_connections')) === connections - 1,
      'the gateway has noticed',
    );
    await scene.puppet.publish.message(group.store());
    await two.has(group, 1);
    await two.client.close();
    await eventually(async () => (await scene.listenersOf(group)) === 0, 'nobody listens');
  });
});
