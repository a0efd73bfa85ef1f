import { expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { Subscriptions } from './subscriptions.ts';

test('who waits for a channel that is released before Redis confirms it waits no longer', async () => {
  const away = { status: 'reconnecting', on() {}, disconnect() {} } as unknown as Redis;
  const subscriptions = new Subscriptions({
    redis: away,
    part: { failed() {}, works() {} },
    onPublication() {},
    onResubscribed() {},
  });
  const isOver = (wait: Promise<void>) =>
    Promise.race([wait.then(() => true), new Promise<boolean>((resolve) => setImmediate(resolve, false))]);
  const [first, second] = [subscriptions.acquire('a'), subscriptions.acquire('a')];
  subscriptions.release('a');
  expect(await isOver(first)).toBe(false);
  subscriptions.release('a');
  expect(await isOver(Promise.all([first, second]).then(() => {}))).toBe(true);
  subscriptions.close();
});
