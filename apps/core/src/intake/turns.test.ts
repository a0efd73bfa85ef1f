import { expect, test } from '@jest/globals';
import { Turns } from './turns.ts';

/** Bursts that count how often somebody looks at them. */
function counting() {
  let looks = 0;
  const burst = (owner: number, length: number) => ({
    owner,
    get requests() {
      looks += 1;
      return { length };
    },
  });
  return { burst, looks: () => looks };
}

const burst = (owner: number, length = 1) => ({ owner, requests: { length } });
const owners = (bursts: readonly { owner: number }[]) => bursts.map(({ owner }) => owner);

test('a user with one request is in the next batch, however many another user has waiting', () => {
  const turns = new Turns<ReturnType<typeof burst>>();
  for (let count = 0; count < 50; count += 1) turns.add(burst(1, 20));
  turns.take(100);
  turns.add(burst(2));
  expect(owners(turns.take(100))).toContain(2);
});

test('two users get as many requests through, one in long bursts and the other one by one', () => {
  const turns = new Turns<ReturnType<typeof burst>>();
  for (let count = 0; count < 20; count += 1) turns.add(burst(1, 10));
  for (let count = 0; count < 200; count += 1) turns.add(burst(2));
  const taken = [1, 2, 3, 4].flatMap(() => turns.take(40));
  const requestsOf = (user: number) =>
    taken.filter(({ owner }) => owner === user).reduce((sum, { requests }) => sum + requests.length, 0);
  expect(Math.abs(requestsOf(1) - requestsOf(2))).toBeLessThanOrEqual(10);
});

test('bursts of a user keep their order, are not split, and one that is longer than a batch comes alone', () => {
  const turns = new Turns<ReturnType<typeof burst>>();
  const bursts = [burst(1, 3), burst(1, 30), burst(1, 3)];
  for (const one of bursts) turns.add(one);
  turns.add(burst(2, 2));
  const batches = [turns.take(10), turns.take(10), turns.take(10)];
  expect(batches.map((batch) => batch.map(({ owner, requests }) => [owner, requests.length]))).toEqual([
    [
      [1, 3],
      [2, 2],
    ],
    [[1, 30]],
    [[1, 3]],
  ]);
  expect(batches.flat().filter(({ owner }) => owner === 1)).toEqual(bursts);
  expect([turns.isReady, turns.requests, turns.owners]).toEqual([false, 0, 0]);
});

test('a user who is held gets no turn before the release', () => {
  const turns = new Turns<ReturnType<typeof burst>>(() => 1);
  for (const user of [1, 1, 2]) turns.add(burst(user));
  const first = turns.take(1);
  expect(owners(first)).toEqual([1]);
  expect(owners(turns.take(10))).toEqual([2]);
  expect(turns.isReady).toBe(false);
  turns.release(first);
  expect(owners(turns.take(10))).toEqual([1]);
});

test('a user alone fills a batch, also one who is held behind it', () => {
  const turns = new Turns<ReturnType<typeof burst>>(() => 1);
  for (const user of [1, 1, 1, 2]) turns.add(burst(user));
  const first = turns.take(3);
  expect(owners(first)).toEqual([1, 2, 1]);
  expect(turns.isReady).toBe(false);
  turns.release(first);
  expect(owners(turns.take(3))).toEqual([1]);
});

test('an owner has so many places at once, gets each back by itself, and leaves the others to everybody', () => {
  const turns = new Turns<ReturnType<typeof burst>>(() => 2);
  for (const owner of [1, 1, 1, 1, 2]) turns.add(burst(owner));
  const first = turns.take(1);
  const second = turns.take(1);
  const third = turns.take(1);
  expect(owners([...first, ...second, ...third])).toEqual([1, 2, 1]);
  expect(turns.isReady).toBe(false);
  turns.release(first);
  const fourth = turns.take(1);
  expect(owners(fourth)).toEqual([1]);
  expect(turns.isReady).toBe(false);
  turns.release([...third, ...fourth]);
  const last = turns.take(10);
  expect(owners(last)).toEqual([1]);
  turns.release([...second, ...last]);
  expect([turns.isReady, turns.requests, turns.owners]).toEqual([false, 0, 0]);
});

test('with twice as many requests waiting, a batch looks at as many of them', () => {
  const looksOf = (waiting: number) => {
    const { burst: counted, looks } = counting();
    const turns = new Turns<ReturnType<typeof counted>>();
    for (let user = 0; user < waiting; user += 1) turns.add(counted(user, 1 + (user % 7)));
    const before = looks();
    turns.take(100);
    return looks() - before;
  };
  expect(looksOf(4_000)).toBe(looksOf(2_000));
});

test('a burst of long messages counts as many requests, and leaves the batch to others', () => {
  const turns = new Turns<ReturnType<typeof burst> & { readonly weight?: number }>();
  for (let count = 0; count < 3; count += 1) turns.add({ ...burst(1), weight: 60 });
  turns.add(burst(2));
  expect([owners(turns.take(100)), turns.requests]).toEqual([[1, 2], 2]);
  expect([owners(turns.take(100)), owners(turns.take(100)), turns.requests]).toEqual([[1], [1], 0]);
});
