import { closeReasons } from '@hooligram/protocol';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, Fixture, type SignedInClient } from './fixture.ts';

const restarting = { code: closeReasons.restarting.code, reason: closeReasons.restarting.reason };

let fixture: Fixture;

beforeAll(async () => {
  fixture = await Fixture.start();
});

afterAll(() => fixture?.stop());

/** Sends a gateway the signal to stop. @returns when it has ended, with how it did */
async function stop(index: number): Promise<{ ended: Promise<string> }> {
  const { process } = fixture.system.gateway(index);
  process.kill('SIGTERM');
  // It may have ended before it is asked.
  const isReady = () =>
    fixture.system
      .gateway(index)
      .isReady()
      .catch(() => false);
  await eventually(async () => !(await isReady()), 'it is not ready');
  return { ended: process.exited };
}

/** Whether a further client is taken. */
async function takesAnother(index: number): Promise<boolean> {
  const client = await fixture.connect(index).catch(() => undefined);
  client?.terminate();
  return client !== undefined;
}

describe('a gateway that is told to stop', () => {
  test('takes no more connections, and sends its clients away with 1012', async () => {
    const gateway = await fixture.addGateway({ DRAIN_SECONDS: '2' });
    const clients = await Promise.all(Array.from({ length: 40 }, () => fixture.connect(gateway)));
    const closed = clients.map((client) => client.closed);
    const { ended } = await stop(gateway);
    expect(await takesAnother(gateway)).toBe(false);
    // When they go is tested in src/drain.test.ts.
    expect(await Promise.all(closed)).toEqual(clients.map(() => restarting));
    expect(await ended).toBe('exit code 0');
  });

  test('goes on taking connections for as long as a load balancer needs to notice', async () => {
    const gateway = await fixture.addGateway({ LISTEN_GRACE_MS: '3600000', STOP_TIMEOUT_MS: '3700000' });
    const client = await fixture.connect(gateway);
    await stop(gateway);
    const late = await fixture.connect(gateway);
    await Promise.all([client.roundTrip(), late.roundTrip()]);
    await fixture.system.gateway(gateway).kill();
  });

  test('serves a connection as before until its turn has come', async () => {
    const gateway = await fixture.addGateway({ DRAIN_SECONDS: '3600', STOP_TIMEOUT_MS: '3700000' });
    // One is sent away each 50 ms, so the last one's turn comes long after the first one's.
    const clients = await Promise.all(Array.from({ length: 300 }, () => fixture.connect(gateway)));
    await stop(gateway);
    await Promise.race(clients.map(({ closed }) => closed));
    await clients.at(-1)?.roundTrip();
    await fixture.system.gateway(gateway).kill();
  });

  test('answers what is at the core before it closes, and begins nothing more', async () => {
    const gateway = await fixture.addGateway({ DRAIN_SECONDS: '0' });
    const ada = fixture.user();
    const group = fixture.group([ada]);
    const a = await fixture.connectAs(ada, [group], gateway);
    const say = (content: string) => a.client.send('MESSAGING_SEND_REQUEST', { group_id: group.id, content });
    const id = say('at the core');
    const request = await fixture.core.next('MESSAGING_SEND', ({ content }) => content === 'at the core');
    say('behind it');
    const { ended } = await stop(gateway);
    say('too late');
    await a.client.roundTrip();
    await request.succeed({ message_id: 1 });
    expect(await a.client.closed).toEqual(restarting);
    expect(await ended).toBe('exit code 0');
    const answers = a.client.frames.filter(({ type }) => type.startsWith('MESSAGING_SEND'));
    expect(answers).toEqual([{ id, type: 'MESSAGING_SEND_SUCCESS', payload: { message_id: 1 } }]);
    const begun = fixture.core.received.flatMap(({ params }) =>
      'content' in params ? [params.content] : [],
    );
    expect(begun).toEqual(['at the core']);
  });

  test('writes what was acknowledged up to the close, and ends when the core has stored it', async () => {
    const gateway = await fixture.addGateway({ DRAIN_SECONDS: '0', CURSOR_FLUSH_MS: '600000' });
    const ada = fixture.user();
    const group = fixture.group([ada]);
    const a = await fixture.connectAs(ada, [group], gateway);
    for (const message of group.storeMany(2)) await fixture.core.publish.message(message);
    await a.has(group, 2);
    // The first cursors leave at once, the next ones not for long.
    const first = fixture.nextCursors(ada);
    a.acknowledge(group, 1);
    await (await first).succeed({});
    a.acknowledge(group, 2);
    await a.client.roundTrip();
    const last = fixture.nextCursors(ada);
    const { ended } = await stop(gateway);
    expect(await a.client.closed).toEqual(restarting);
    const written = await last;
    expect(written.params.cursors).toEqual([
      { user_id: ada.userId, group_id: group.id, delivered_seq: 2, delivered_version: 1 },
    ]);
    expect(fixture.system.gateway(gateway).process.isRunning()).toBe(true);
    await written.succeed({});
    expect(await ended).toBe('exit code 0');
  });

  test('closes with 1013 where an answer does not come in time: FAILURE could be a lie', async () => {
    const gateway = await fixture.addGateway({ DRAIN_SECONDS: '0', STOP_TIMEOUT_MS: '5000' });
    const users = [fixture.user(), fixture.user()] as const;
    const group = fixture.group(users);
    const [a, b] = [
      await fixture.connectAs(users[0], [group], gateway),
      await fixture.connectAs(users[1], [group], gateway),
    ] as [SignedInClient, SignedInClient];
    a.client.send('MESSAGING_SEND_REQUEST', { group_id: group.id, content: 'never answered' });
    await fixture.core.next('MESSAGING_SEND', ({ content }) => content === 'never answered');
    const { ended } = await stop(gateway);
    expect(await b.client.closed).toEqual(restarting);
    const { code, reason } = closeReasons.outcomeUnknown;
    expect(await a.client.closed).toEqual({ code, reason });
    expect(a.client.frames.filter(({ type }) => type.startsWith('MESSAGING_SEND'))).toEqual([]);
    expect(await ended).toBe('exit code 0');
  });

  test('without any connection ends at once', async () => {
    const gateway = await fixture.addGateway({ DRAIN_SECONDS: '3600', STOP_TIMEOUT_MS: '3700000' });
    const { process } = fixture.system.gateway(gateway);
    process.kill('SIGTERM');
    expect(await process.exited).toBe('exit code 0');
  });
});
