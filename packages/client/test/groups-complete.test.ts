import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { memoryStorage } from '../src/index.ts';
import { type Member, next, setCompany, takeTheClock, until } from './company.ts';
import { pairOf } from './cut-off.ts';
import type { FrameGate } from './frame-gate.ts';

const company = setCompany({ gateways: 1, cores: 1 });

afterEach(() => {
  jest.useRealTimers();
  company.system.core(0).resume();
});

/** More than any pause that a server may make, less than what a client grants an answer. */
const longMs = 25_000;

/** How often a client was told that its groups are complete, and with which. */
function completions({ client }: Member): number[][] {
  const told: number[][] = [];
  client.on('groupsComplete', (groups) => told.push([...groups.keys()].sort()));
  return told;
}

/** Ada's next page, which signs in by itself, and goes through a gate. Her first page is closed. */
async function nextPage() {
  const storage = memoryStorage();
  const { ada, bob, gate, groupId } = await pairOf(company, { storage });
  const told = next(ada, 'group');
  const other = await ada.client.createGroup('three', [bob.sid, '1.5550199']);
  await told;
  await ada.client.close();
  const before = gate.fromClients.length;
  const sent = (type: string) => gate.fromClients.slice(before).filter((frame) => frame.type === type).length;
  return { gate, sent, groups: [groupId, other].sort(), open: () => company.client(gate.url, { storage }) };
}

const isGroup = ({ type }: { type: string }) => type === 'GROUP_DELIVER_REQUEST';

describe('that all groups came is told', () => {
  test('only when they have, to a client that starts while no core answers', async () => {
    const { sent, groups, open } = await nextPage();
    company.system.core(0).freeze();
    takeTheClock();
    const page = open();
    const told = completions(page);
    await until('the sign-in is on its way', () => sent('AUTHORIZATION_SIGN_IN_REQUEST') === 1);
    jest.advanceTimersByTime(longMs);
    expect(told).toEqual([]);
    company.system.core(0).resume();
    await until('it is told', () => told.length > 0);
    expect(told).toEqual([groups]);
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
    const told = completions(page);
    await until('the first group came', () => page.groups.length === 1);
    jest.advanceTimersByTime(longMs);
    expect(told).toEqual([]);
    gate.release();
    await until('it is told', () => told.length > 0);
    expect(told).toEqual([groups]);
  });

  test('not of a connection that breaks between them, and no group is gone for it', async () => {
    const { gate, groups, open } = await nextPage();
    const page = open();
    const told = completions(page);
    await until('it is told', () => told.length === 1);
    let states = 0;
    gate.onServerFrame = (frame) => (isGroup(frame) && states++ === 1 ? 'cut' : undefined);
    const again = next(page, 'state', ({ status }) => status === 'signing-in');
    gate.close(1001);
    await again;
    const broken = next(page, 'state', ({ status }) => status === 'waiting');
    await broken;
    expect(told).toEqual([groups]);
    await until('it is told again', () => told.length === 2);
    expect(told).toEqual([groups, groups]);
    expect(page.removed).toEqual([]);
  });

  test('at once to somebody who is in no group', async () => {
    const gate = await company.gate(0);
    const cat = company.client(gate.url);
    const told = completions(cat);
    await cat.client.requestCode(cat.credential);
    await cat.client.submitCode(cat.credential.verification_code);
    takeTheClock();
    await cat.client.signIn(cat.credential);
    await until('it is told', () => told.length > 0);
    expect(told).toEqual([[]]);
  });

  test('by half a minute of silence, if the server knows no better', async () => {
    const { gate, groups, open } = await nextPage();
    const answers = answersWithout(gate, 'after_groups');
    takeTheClock();
    const page = open();
    const told = completions(page);
    await until('it was asked, and the groups came', () => answers.count > 0 && page.groups.length === 2);
    await new Promise((resolve) => setImmediate(resolve));
    jest.advanceTimersByTime(29_000);
    expect(told).toEqual([]);
    jest.advanceTimersByTime(1_000);
    expect(told).toEqual([groups]);
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
