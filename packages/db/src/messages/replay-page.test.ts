import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { aSend, type Cores, newGroup, openCores, sendMany } from '../../test/test-db.ts';
import type { Db } from '../session/db.ts';
import { messagingSend } from './messaging-send.ts';
import { replayPages } from './replay-page.ts';

let cores: Cores;
let db: Db;
beforeAll(async () => {
  cores = await openCores();
  db = cores.one;
});
afterAll(() => cores.close());

test('a page holds what follows, oldest first, up to the limit', async () => {
  const { group_id, users } = await newGroup(db, 3);
  const ids = await sendMany(db, group_id, users[0], 5);
  const ask = (after_seq: number) => ({ group_id, after_seq });
  const pages = await replayPages(db, [ask(0), ask(3), { ...ask(0), group_id: 2 ** 53 }, ask(99)], 4);

  expect(pages.map((page) => page?.messages.map(({ seq }) => seq))).toEqual([
    [1, 2, 3, 4],
    [4, 5],
    undefined,
    [],
  ]);
  expect(pages[0]).toMatchObject({ group_id, version: 1, last_seq: 5 });
  expect(pages[0]?.messages[1]).toMatchObject({
    message_id: ids[1],
    sender_sid: users[0].sid,
    content: '2',
  });
  expect(pages[2]).toBeNull();
  expect(await replayPages(db, [])).toEqual([]);
});

test('a page is closed by the message that fills a quarter of a megabyte of content, but has one message at least', async () => {
  const { group_id, users } = await newGroup(db, 2);
  const sizes = [300_000, 150_000, 150_000, 10, 150_000];
  await messagingSend(
    db,
    sizes.map((size) => aSend(users[0], group_id, 'x'.repeat(size))),
  );
  const seqsAfter = async (after_seq: number) => {
    const [page] = await replayPages(db, [{ group_id, after_seq }]);
    return page?.messages.map(({ seq }) => seq);
  };
  expect(await seqsAfter(0)).toEqual([1]);
  expect(await seqsAfter(1)).toEqual([2, 3]);
  expect(await seqsAfter(3)).toEqual([4, 5]);
});
