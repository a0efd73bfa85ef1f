import type { Cursor } from '@hooligram/contract';
import { expect, test } from '@jest/globals';
import type { Core } from '../core/core-client.ts';
import { DeliveryCursor } from '../groups/delivery-cursor.ts';
import { CursorWriter } from './cursor-writer.ts';

/** A core that stores what it is sent, and says when it has had so many cursors. */
function storingCore(count: number) {
  const requests: Cursor[][] = [];
  let resolve = () => {};
  const stored = new Promise<void>((done) => {
    resolve = done;
  });
  const request = async (_type: string, { cursors }: { cursors: Cursor[] }) => {
    requests.push(cursors);
    if (requests.flat().length === count) resolve();
    return { ok: true, answer: {} };
  };
  return { core: { request } as unknown as Core, requests, stored };
}

/** Cursors of users with these ids, which have moved. */
function moved(writer: CursorWriter, userIds: readonly number[]): void {
  for (const userId of userIds) {
    const cursor = new DeliveryCursor(userId, 7, 0);
    cursor.acknowledge(1);
    writer.changed(cursor);
  }
}

const users = (count: number) => Array.from({ length: count }, (_, index) => index);

test('cursors that moved together leave in portions, each once and the first ones first', async () => {
  const { core, requests, stored } = storingCore(250);
  const writer = new CursorWriter({ core, epoch: 0, everyMs: 10 });
  moved(writer, users(250));
  await stored;
  expect(requests.map(({ length }) => length)).toEqual([100, 100, 50]);
  expect(requests.flat().map(({ user_id }) => user_id)).toEqual(users(250));
  expect(writer.hasMoved).toBe(false);
});

test('the cursors of users who leave together are written at once and together, those of others wait', async () => {
  const { core, requests, stored } = storingCore(1);
  const writer = new CursorWriter({ core, epoch: 0, everyMs: 600_000 });
  moved(writer, [0]);
  await stored;
  moved(writer, users(10));
  await Promise.all([writer.flushUser(3), writer.flushUser(8)]);
  expect(requests.slice(1).map((cursors) => cursors.map(({ user_id }) => user_id))).toEqual([[3, 8]]);
  await writer.flush();
  expect(requests.at(-1)?.map(({ user_id }) => user_id)).toEqual([0, 1, 2, 4, 5, 6, 7, 9]);
});

test('all that moved is written when it is flushed, however much it is', async () => {
  const { core, requests, stored } = storingCore(1);
  const writer = new CursorWriter({ core, epoch: 0, everyMs: 600_000 });
  moved(writer, [0]);
  await stored;
  moved(writer, users(250));
  await writer.flush();
  expect(requests.map(({ length }) => length)).toEqual([1, 100, 100, 50]);
});
