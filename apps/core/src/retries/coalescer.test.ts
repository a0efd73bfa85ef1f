import { expect, test } from '@jest/globals';
import { createGathering } from './coalescer.ts';

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

test('what is added in one turn is sent with one call, each once', async () => {
  const { send, sent, next } = calls();
  const gathering = createGathering(send);
  for (const id of [1, 2, 1, 3]) gathering.add(id);
  const settled = gathering.settled();
  expect((await next(1)).ids).toEqual([1, 2, 3]);
  sent[0]?.end();
  await settled;
  await gathering.settled();
  expect(sent).toHaveLength(1);
});

test('what comes during a call goes into the next one, which begins when the first has ended', async () => {
  const { send, sent, next } = calls();
  const gathering = createGathering(send);
  gathering.add(1);
  const first = await next(1);
  gathering.add(1);
  gathering.add(2);
  let isSettled = false;
  const settled = gathering.settled().then(() => {
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

test('who waits hears of a failure, and who waits next has it sent again with the rest', async () => {
  const { send, next } = calls();
  const gathering = createGathering(send);
  gathering.add(1);
  const settled = gathering.settled();
  (await next(1)).fail();
  await expect(settled).rejects.toThrow('away');
  const again = gathering.settled();
  gathering.add(2);
  const second = await next(2);
  expect(second.ids).toEqual([1, 2]);
  second.end();
  await again;
});

test('a failure is no unhandled one, and with nothing gathered there is nothing to wait for', async () => {
  const { send, next } = calls();
  const gathering = createGathering(send);
  await gathering.settled();
  gathering.add(1);
  (await next(1)).fail();
  await new Promise((resolve) => setImmediate(resolve));
  gathering.add(2);
  (await next(2)).end();
  await gathering.settled();
});
