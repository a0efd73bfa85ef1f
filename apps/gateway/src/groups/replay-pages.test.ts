import type { ParamsOf, ReplayPage } from '@hooligram/contract';
import { createLoopTurns } from '@hooligram/service';
import { until } from '@hooligram/testkit';
import { expect, test } from '@jest/globals';
import type { Core } from '../core/core-client.ts';
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

test('a page that was not read because the connections for which it was asked have closed is read for one that is open', async () => {
  const { core, asked } = coreThatFails(1);
  const pages = new ReplayPages(core, createLoopTurns());
  const closed = Array.from({ length: 50 }, (_, n) => reader(n));
  const reading = [...closed, reader(50), reader(51)].map((one) => pages.read(1, 0, 16, one));
  for (const one of closed) one.isOpen = false;
  const replies = await Promise.all(reading);
  expect(replies.slice(-3).map(({ ok }) => ok)).toEqual([false, true, true]);
  expect(asked).toEqual([{ group_id: 1, after_seq: 0, limit: 16, user_id: 50 }]);
});
