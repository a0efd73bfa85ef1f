import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { memoryStorage } from '../src/index.ts';
import { pairOf } from './disconnect.ts';
import { createFixture, type Member, next, takeTheClock, until } from './fixture.ts';
import type { FrameGate } from './frame-gate.ts';

const fixture = createFixture({ gateways: 1, cores: 1 });

afterEach(() => {
  jest.useRealTimers();
  fixture.system.core(0).resume();
});

/** More than any pause that a server may make, less than what a client grants an answer. */
const longMs = 25_000;

/** The events that a client's groups are complete, each with its groups. */
function completions({ client }: Member): number[][] {
  const received: number[][] = [];
  client.on('groupsComplete', (groups) => received.push([...groups.keys()].sort()));
  return received;
}

/** Ada's next page, which signs in by itself, and connects through a proxy. Her first page is closed. */
async function nextPage() {
  const storage = memoryStorage();
  const { ada, bob, gate, groupId } = await pairOf(fixture, { storage });
  const received = next(ada, 'group');
  const other = await ada.client.createGroup('three', [bob.sid, '1.5550199']);
  await received;
  await ada.client.close();
  const before = gate.fromClients.length;
  const sent = (type: string) => gate.fromClients.slice(before).filter((frame) => frame.type === type).length;
  return { gate, sent, groups: [groupId, other].sort(), open: () => fixture.client(gate.url, { storage }) };
}

const isGroup = ({ type }: { type: string }) => type === 'GROUP_DELIVER_REQUEST';

describe('the event that all groups came is emitted', () => {
  test('only when they have, to a client that starts while no core answers', async () => {
    const { sent, groups, open } = await nextPage();
    fixture.system.core(0).freeze();
    takeTheClock();
    const page = open();
    const received = completions(page);
    await until('the sign-in is on its way', () => sent('AUTHORIZATION_SIGN_IN_REQUEST') === 1);
    jest.advanceTimersByTime(longMs);
    expect(received).toEqual([]);
    fixture.system.core(0).resume();
    await until('it is emitted', () => received.length > 0);
    expect(received).toEqual([groups]);
  });

  test('only when they have, however long the pauses between them are', async () => {
    const { gate, groups, open } = await nextPage();
    let states = 0;
    gate.onServerFrame = (frame) => {
      // The second one waits, and all that comes behind it.
      if (isGroup(frame) && states++ === 0) gate.hold();
      return undefined;
    };
    takeTheClock();
    const page = open();
    const received = completions(page);
    await until('the first group came', () => page.groups.length === 1);
    jest.advanceTimersByTime(longMs);
    expect(received).toEqual([]);
    gate.release();
    await until('it is emitted', () => received.length > 0);
    expect(received).toEqual([groups]);
  });

  test('not of a connection that breaks between them, and no group is gone for it', async () => {
    const { gate, groups, open } = await nextPage();
    const page = open();
    const received = completions(page);
    await until('it is emitted', () => received.length === 1);
    let states = 0;
    gate.onServerFrame = (frame) => (isGroup(frame) && states++ === 1 ? 'cut' : undefined);
    const again = next(page, 'state', ({ status }) => status === 'signing-in');
    gate.close(1001);
    await again;
    const broken = next(page, 'state', ({ status }) => status === 'waiting');
    await broken;
    expect(received).toEqual([groups]);
    await until('it is emitted again', () => received.length === 2);
    expect(received).toEqual([groups, groups]);
    expect(page.removed).toEqual([]);
  });

  test('at once to a user who is in no group', async () => {
    const gate = await fixture.gate(0);
    const cat = fixture.client(gate.url);
    const received = completions(cat);
    await cat.client.requestCode(cat.credential);
    await cat.client.submitCode(cat.credential.verification_code);
    takeTheClock();
    await cat.client.signIn(cat.credential);
    await until('it is emitted', () => received.length > 0);
    expect(received).toEqual([[]]);
  });

  test('by half a minute of silence, if the server knows no better', async () => {
    const { gate, groups, open } = await nextPage();
    const answers = answersWithout(gate, 'after_groups');
    takeTheClock();
    const page = open();
    const received = completions(page);
    await until('it was asked, and the groups came', () => answers.count > 0 && page.groups.length === 2);
    // The answer to this comes behind that one, so both have been read.
    await page.client.submitCode('000000').catch(() => undefined);
    jest.advanceTimersByTime(29_000);
    expect(received).toEqual([]);
    jest.advanceTimersByTime(1_000);
    expect(received).toEqual([groups]);
  });
});

/** A server that is older than a property. */
function answersWithout(gate: FrameGate, property: string): { count: number } {
  const answers = { count: 0 };
  gate.onServerFrame = ({ id, type, payload }) => {
    if (!(property in payload)) return undefined;
    answers.count += 1;
    return { instead: { id, type, payload: {} } };
  };
  return answers;
}
