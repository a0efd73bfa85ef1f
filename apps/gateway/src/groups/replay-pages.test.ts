import type { ParamsOf, ReplayPage } from '@hooligram/contract';
import { createLoopTurns } from '@hooligram/service';
import { until } from '@hooligram/testkit';
import { expect, test } from '@jest/globals';
import type { Core } from '../core/core-client.ts';
import { Credit } from '../core/credit.ts';
import { ReplayPages } from './replay-pages.ts';

type Asked = ParamsOf<'REPLAY_PAGE'>;

/** A core with a group of endless messages of so many characters, each page of at most sixteen. */
function coreWith(characters: number) {
  const asked: Asked[] = [];
  const request = async (_type: string, params: Asked) => {
    asked.push(params);
    const count = Math.min(16, params.limit ?? 16);
    const seqs = Array.from({ length: count }, (_, n) => params.after_seq + n + 1);
    const messages = seqs.map((seq) => [seq, 1_000 + seq, 'x'.repeat(characters)] as const);
    const { group_id } = params;
    const page: ReplayPage = {
      group_id,
      version: 1,
      last_seq: 9_999,
      through_seq: seqs.at(-1) ?? 0,
      messages,
    };
    return { ok: true, answer: page };
  };
  return { core: { request } as unknown as Core, asked };
}

const hourMs = 3_600_000;
const down = { ok: false, errors: [], isUnknown: true } as const;

const reader = (userId: number) => ({ user: { userId }, messageBytes: 4_096, isOpen: true });
const seqsOf = (reply: Awaited<ReturnType<ReplayPages['read']>>) =>
  reply.ok ? reply.answer.messages.map(([seq]) => seq) : undefined;

test.each([
  { characters: 10, turnsTaken: 0 },
  { characters: 16_000, turnsTaken: 99 },
])(
  'a page of sixteen messages of $characters characters that a hundred connections come back to is read once, and sent in $turnsTaken turns more',
  async ({ characters, turnsTaken }) => {
    const { core, asked } = coreWith(characters);
    let turns = 0;
    const turn = createLoopTurns();
    const pages = new ReplayPages(core, () => {
      turns += 1;
      return turn();
    });
    const replies = await Promise.all(Array.from({ length: 100 }, (_, n) => pages.read(1, 0, 16, reader(n))));
    expect(asked).toEqual([{ group_id: 1, after_seq: 0, limit: 16, user_id: 0 }]);
    expect(turns).toBe(turnsTaken);
    expect(new Set(replies.map((reply) => seqsOf(reply)?.length))).toEqual(new Set([16]));
  },
);

test('a small page is not kept: it is as new as can be the next time', async () => {
  const { core, asked } = coreWith(10);
  const pages = new ReplayPages(core, createLoopTurns(), hourMs);
  await pages.read(1, 0, 16, reader(1));
  await pages.read(1, 0, 16, reader(1));
  expect([asked.length, pages.characters]).toEqual([2, 0]);
});

test('a large page is at hand for those who come a moment later, in bounded memory', async () => {
  const { core, asked } = coreWith(16_000);
  const pages = new ReplayPages(core, createLoopTurns(), hourMs);
  await pages.read(1, 0, 16, reader(1));
  expect(seqsOf(await pages.read(1, 0, 16, reader(2)))).toHaveLength(16);
  expect(seqsOf(await pages.read(1, 0, 3, reader(3)))).toEqual([1, 2, 3]);
  const first = await pages.read(1, 0, 3, reader(3));
  // The replay goes on behind what it was given.
  expect(first.ok && first.answer.through_seq).toBe(3);
  expect(asked).toHaveLength(1);
  for (let group = 2; group < 40; group += 1) await pages.read(group, 0, 16, reader(1));
  expect(pages.characters).toBe(16 * 16 * 16_000);
});

test('what was kept is forgotten, and read again then', async () => {
  const { core, asked } = coreWith(16_000);
  const pages = new ReplayPages(core, createLoopTurns(), 1);
  await pages.read(1, 0, 16, reader(1));
  await until(
    'all of it is forgotten',
    () => pages.characters,
    (kept) => kept === 0,
  );
  await pages.read(1, 0, 16, reader(1));
  expect(asked).toHaveLength(2);
});

test('who waits for a page that somebody else does not get asks for it, too', async () => {
  const { core, asked } = coreWith(10);
  let isDown = true;
  const request = ((...args: Parameters<Core['request']>) => {
    if (!isDown) return core.request(...args);
    isDown = false;
    return Promise.resolve(down);
  }) as Core['request'];
  const pages = new ReplayPages({ request }, createLoopTurns());
  const [first, second] = await Promise.all([
    pages.read(1, 0, 16, reader(1)),
    pages.read(1, 0, 16, reader(2)),
  ]);
  expect(first).toEqual(down);
  expect(seqsOf(second)).toHaveLength(16);
  expect(asked).toHaveLength(1);
});

/** A core that answers none of the first requests. */
function coreThatFails(times: number) {
  const { core, asked } = coreWith(10);
  let requests = 0;
  const request = ((...args: Parameters<Core['request']>) => {
    requests += 1;
    return requests > times ? core.request(...args) : Promise.resolve(down);
  }) as Core['request'];
  return { core: { request }, asked, requests: () => requests };
}

test.each([
  { times: 1, isFound: true },
  { times: 9, isFound: false },
])(
  'a page that fails $times times for all who wait is asked for once more, by one of them for all',
  async ({ times, isFound }) => {
    const { core, requests } = coreThatFails(times);
    const pages = new ReplayPages(core, createLoopTurns());
    const [first, ...others] = await Promise.all(
      Array.from({ length: 100 }, (_, n) => pages.read(1, 0, 16, reader(n))),
    );
    expect(first).toEqual(down);
    expect(new Set(others.map(({ ok }) => ok))).toEqual(new Set([isFound]));
    expect(requests()).toBe(2);
  },
);

/** A core that is asked for one page after the other, as credit allows. */
function coreWithCredit() {
  const { core, asked } = coreWith(10);
  const size = { most: 1, probable: 1 };
  const credit = new Credit(1);
  const request = ((...args: Parameters<Core['request']>) =>
    new Promise((resolve) => {
      const begin = () => resolve(core.request(...args));
      credit.take(args[4] ?? {}, { size, begin, withdraw: () => resolve(down) }, true);
    })) as Core['request'];
  return { pages: new ReplayPages({ request }, createLoopTurns()), asked, next: () => credit.giveBack(size) };
}

test('who waits for a page whose first reader has closed before its turn gets it in that turn', async () => {
  const { pages, asked, next } = coreWithCredit();
  void pages.read(9, 0, 16, reader(9));
  const closed = Array.from({ length: 50 }, (_, n) => reader(n));
  const reading = closed.map((one) => pages.read(1, 0, 16, one));
  void pages.read(2, 0, 16, reader(100));
  const open = pages.read(1, 0, 16, reader(50));
  for (const one of closed) one.isOpen = false;
  next();
  expect(asked.map(({ group_id }) => group_id)).toEqual([9, 1]);
  expect(seqsOf(await open)).toHaveLength(16);
  await Promise.all(reading);
  next();
  expect(asked.map(({ group_id }) => group_id)).toEqual([9, 1, 2]);
});

test('a page for which nobody waits any more at its turn is not read, and who comes later asks for it', async () => {
  const { pages, asked, next } = coreWithCredit();
  void pages.read(9, 0, 16, reader(9));
  const closed = [reader(1), reader(2)];
  const reading = closed.map((one) => pages.read(1, 0, 16, one));
  for (const one of closed) one.isOpen = false;
  next();
  expect((await Promise.all(reading)).map(({ ok }) => ok)).toEqual([false, false]);
  expect(seqsOf(await pages.read(1, 0, 16, reader(3)))).toHaveLength(16);
  expect(asked.map(({ group_id, user_id }) => [group_id, user_id])).toEqual([
    [9, 9],
    [1, 3],
  ]);
});

test('the groups of one connection take its turns', async () => {
  const { pages, asked, next } = coreWithCredit();
  const [busy, other] = [reader(1), reader(2)];
  for (const group of [1, 2, 3]) void pages.read(group, 0, 16, busy);
  void pages.read(4, 0, 16, other);
  for (let turn = 0; turn < 3; turn += 1) next();
  expect(asked.map(({ group_id }) => group_id)).toEqual([1, 2, 4, 3]);
});
