import { expect, test } from '@jest/globals';
import { Coalescer } from './coalescer.ts';

/** Calls that end when the test says so. */
function calls() {
  const sent: { ids: readonly number[]; end(): void; fail(): void }[] = [];
  let called = () => {};
  const send = (ids: readonly number[]) =>
    new Promise<void>((end, reject) => {
      sent.push({ ids, end, fail: () => reject(new Error('away')) });
      called();
    });
  const next = async (count: number) => {
    while (sent.length < count) {
      await new Promise<void>((resolve) => {
        called = resolve;
      });
    }
    return sent[count - 1] as (typeof sent)[number];
  };
  return { sent, send, next };
}

test('the ids of one tick are sent with one call, each once', async () => {
  const { send, sent, next } = calls();
  const coalescer = new Coalescer(send);
  for (const id of [1, 2, 1, 3]) coalescer.add(id);
  const settled = coalescer.settled();
  expect((await next(1)).ids).toEqual([1, 2, 3]);
  sent[0]?.end();
  await settled;
  await coalescer.settled();
  expect(sent).toHaveLength(1);
});

test('ids that come during a call go into the next one, which begins when the first has ended', async () => {
  const { send, sent, next } = calls();
  const coalescer = new Coalescer(send);
  coalescer.add(1);
  const first = await next(1);
  coalescer.add(1);
  coalescer.add(2);
  let isSettled = false;
  const settled = coalescer.settled().then(() => {
    isSettled = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(sent).toHaveLength(1);
  first.end();
  const second = await next(2);
  expect(second.ids).toEqual([1, 2]);
  expect(isSettled).toBe(false);
  second.end();
  await settled;
});

test('a waiting caller receives a failure, and the next one has the ids sent again with the rest', async () => {
  const { send, next } = calls();
  const coalescer = new Coalescer(send);
  coalescer.add(1);
  const settled = coalescer.settled();
  (await next(1)).fail();
  await expect(settled).rejects.toThrow('away');
  const again = coalescer.settled();
  coalescer.add(2);
  const second = await next(2);
  expect(second.ids).toEqual([1, 2]);
  second.end();
  await again;
});

test('a failure without a waiting caller is no unhandled one, and without ids there is nothing to wait for', async () => {
  const { send, next } = calls();
  const coalescer = new Coalescer(send);
  await coalescer.settled();
  coalescer.add(1);
  (await next(1)).fail();
  await new Promise((resolve) => setImmediate(resolve));
  coalescer.add(2);
  (await next(2)).end();
  await coalescer.settled();
});
