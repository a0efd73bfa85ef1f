import { expect, test } from '@jest/globals';
import { watchedLoop } from '../test/watched-loop.ts';
import { Places } from './places.ts';

const never = { begin() {}, end() {}, isNoticed: () => true };
const steady = (placesMax: number) => new Places({ placesMax, lateMaxMs: 5 }, never);

/** The names of those who were let in, in order. */
function line(signIns: Places) {
  const inside: string[] = [];
  const places = new Map<string, () => void>();
  const enter = (who: string, key = who) => {
    const owner = {};
    void signIns.enter(owner, key).then((leave) => {
      if (!leave) return;
      inside.push(who);
      places.set(who, leave);
    });
    return owner;
  };
  const leave = async (who: string) => {
    places.get(who)?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { inside, enter, leave };
}

test('one who asks for an account on very many connections has few places, and others get theirs at once', async () => {
  const signIns = steady(8);
  const { inside, enter, leave } = line(signIns);
  for (let count = 1; count <= 50; count += 1) enter(`many ${count}`, 'many');
  enter('ada');
  await leave('nobody');
  expect(inside).toEqual(['many 1', 'many 2', 'many 3', 'many 4', 'ada']);
  await leave('many 1');
  expect(inside.at(-1)).toBe('many 5');
  expect([signIns.underWay, signIns.waiting]).toEqual([5, 45]);
});

test('those who wait take turns, whatever others have waiting before them', async () => {
  const signIns = steady(2);
  const { inside, enter, leave } = line(signIns);
  enter('first');
  enter('second');
  for (let count = 1; count <= 3; count += 1) enter(`many ${count}`, 'many');
  await leave('nobody');
  const gone = enter('gone');
  enter('ada');
  signIns.leaveLine(gone);
  for (const who of ['first', 'second', 'many 1', 'ada', 'many 2', 'many 3']) await leave(who);
  expect(inside).toEqual(['first', 'second', 'many 1', 'ada', 'many 2', 'many 3']);
  expect([signIns.underWay, signIns.waiting]).toEqual([0, 0]);
});

test('few are under way at once, more while some wait and the event loop is in time, an eighth at least while it is late', async () => {
  let nowMs = 0;
  const loop = watchedLoop();
  const signIns = new Places({ placesMax: 16, lateMaxMs: 5 }, loop, () => nowMs);
  const { inside, enter, leave } = line(signIns);
  for (let count = 0; count < 8; count += 1) enter(`client ${count}`);
  expect([signIns.underWay, signIns.waiting, loop.isLookedAt]).toEqual([8, 0, false]);
  for (let count = 8; count < 16; count += 1) enter(`client ${count}`);
  expect([signIns.underWay, signIns.waiting, loop.isLookedAt]).toEqual([8, 8, true]);
  nowMs = 2_000;
  signIns.look(nowMs, 0);
  expect([signIns.underWay, signIns.waiting, loop.isLookedAt]).toEqual([16, 0, false]);
  for (let count = 16; count < 40; count += 1) enter(`client ${count}`);
  expect([signIns.underWay, signIns.waiting, loop.isLookedAt]).toEqual([16, 24, true]);
  for (let look = 0; look < 5; look += 1) {
    nowMs += 100;
    signIns.look(nowMs, 6);
  }
  await leave('nobody');
  expect(signIns.allowed).toBe(2);
  for (let count = 0; count < 14; count += 1) await leave(`client ${count}`);
  expect([signIns.underWay, inside.length]).toEqual([2, 16]);
  await leave('client 14');
  expect([signIns.underWay, inside.at(-1)]).toEqual([2, 'client 16']);
  nowMs += 2_000;
  signIns.look(nowMs, 0);
  expect([signIns.underWay, signIns.waiting]).toEqual([16, 9]);
  for (let count = 15; count < 40; count += 1) await leave(`client ${count}`);
  expect([signIns.underWay, signIns.waiting, loop.isLookedAt]).toEqual([0, 0, false]);
});

test('while nobody would notice a late event loop all places are used from the first moment on', async () => {
  const loop = watchedLoop(false);
  const signIns = new Places({ placesMax: 16, lateMaxMs: 5 }, loop, () => 0);
  const { inside, enter, leave } = line(signIns);
  for (let count = 0; count < 20; count += 1) enter(`client ${count}`);
  await leave('nobody');
  expect([signIns.underWay, signIns.waiting]).toEqual([16, 4]);
  for (let count = 0; count < 20; count += 1) await leave(`client ${count}`);
  for (let count = 20; count < 36; count += 1) enter(`client ${count}`);
  await leave('nobody');
  expect([signIns.underWay, signIns.waiting, inside.length]).toEqual([16, 0, 36]);
});

test('sign-ins that will take long give all places back, once, and others get them', async () => {
  const signIns = steady(2);
  const { inside, enter, leave } = line(signIns);
  for (const who of ['ada', 'bob', 'eve', 'dan', 'kim']) enter(who);
  await leave('nobody');
  expect(inside).toEqual(['ada', 'bob']);
  signIns.leaveAll();
  await leave('ada');
  expect(inside).toEqual(['ada', 'bob', 'eve', 'dan']);
  expect(signIns.underWay).toBe(2);
});
