import { expect, test } from '@jest/globals';
import { createLifecycle } from './lifecycle.ts';
import { createLog } from './log.ts';

const never = () => new Promise<never>(() => {});

function setUp(deadlineMs = 10_000) {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({
    name: 'test',
    destination: { write: (text) => void lines.push(JSON.parse(text)) },
  });
  return { lifecycle: createLifecycle({ log, deadlineMs }), lines };
}

test('what was started last is stopped first, each after the one before it', async () => {
  const { lifecycle } = setUp();
  const order: string[] = [];
  lifecycle.onClose('redis', () => order.push('redis'));
  lifecycle.onClose('consumer', async () => {
    order.push('consumer stops');
    await new Promise(setImmediate);
    order.push('consumer stopped');
  });
  expect(await lifecycle.close()).toBe(true);
  expect(order).toEqual(['consumer stops', 'consumer stopped', 'redis']);
});

test('readiness flips before anything is stopped', async () => {
  const { lifecycle } = setUp();
  expect(await lifecycle.readiness()).toEqual({ ready: false, checks: { process: 'starting' } });
  lifecycle.markStarted();
  expect(await lifecycle.readiness()).toEqual({ ready: true, checks: { process: 'ok' } });
  let seen: unknown;
  lifecycle.onClose('last', async () => {
    seen = await lifecycle.readiness();
  });
  await lifecycle.close();
  expect(seen).toEqual({ ready: false, checks: { process: 'stopping' } });
  expect(lifecycle.stopping.aborted).toBe(true);
});

test('readiness says which check fails and why', async () => {
  const { lifecycle } = setUp();
  lifecycle.markStarted();
  lifecycle.check('redis', () => 'connecting');
  lifecycle.check('postgres', async () => {
    throw new Error('connection refused');
  });
  lifecycle.check('echo', () => true);
  expect(await lifecycle.readiness()).toEqual({
    ready: false,
    checks: { process: 'ok', redis: 'connecting', postgres: 'connection refused', echo: 'ok' },
  });
});

test('a check that is passed may have a remark, which is left out while it fails or there is nothing to say', async () => {
  const { lifecycle } = setUp();
  lifecycle.markStarted();
  let [answer, remark] = ['2 of 3' as true | string, '2 of 3' as string | undefined];
  lifecycle.check(
    'bus',
    () => answer,
    () => remark,
  );
  expect(await lifecycle.readiness()).toEqual({
    ready: false,
    checks: { process: 'ok', bus: '2 of 3' },
  });
  answer = true;
  expect(await lifecycle.readiness()).toEqual({
    ready: true,
    checks: { process: 'ok', bus: 'ok' },
    remarks: { bus: '2 of 3' },
  });
  remark = undefined;
  expect(await lifecycle.readiness()).toEqual({ ready: true, checks: { process: 'ok', bus: 'ok' } });
});

test('the failure of one does not stop the others, and is told', async () => {
  const { lifecycle, lines } = setUp();
  let isClosed = false;
  lifecycle.onClose('first', () => {
    isClosed = true;
  });
  lifecycle.onClose('second', () => {
    throw new Error('stuck');
  });
  expect(await lifecycle.close()).toBe(false);
  expect(isClosed).toBe(true);
  expect(lines).toMatchObject([{ part: 'second', err: { message: 'stuck' } }]);
});

test('one deadline for all: what hangs is named, the rest is still begun', async () => {
  const { lifecycle, lines } = setUp(1);
  const begun: string[] = [];
  lifecycle.onClose('first', () => {
    begun.push('first');
    return never();
  });
  lifecycle.onClose('second', () => begun.push('second'));
  lifecycle.onClose('third', never);
  expect(await lifecycle.close()).toBe(false);
  expect(begun).toEqual(['second', 'first']);
  expect(lines).toMatchObject([{ part: 'third', deadlineMs: 1 }, { part: 'second' }, { part: 'first' }]);
});

test('closing twice stops once', async () => {
  const { lifecycle } = setUp();
  let count = 0;
  lifecycle.onClose('one', () => {
    count += 1;
  });
  expect(await Promise.all([lifecycle.close(), lifecycle.close()])).toEqual([true, true]);
  expect(count).toBe(1);
});

test('what is started while the stop is under way is stopped right away', async () => {
  const { lifecycle } = setUp();
  await lifecycle.close();
  let isClosed = false;
  lifecycle.onClose('late', () => {
    isClosed = true;
  });
  expect(isClosed).toBe(true);
});

test('a stop is a failure if the first who asked for it said so', async () => {
  const [failing, planned] = [setUp().lifecycle, setUp().lifecycle];
  await Promise.all([failing.close(true), failing.close(), planned.close(), planned.close(true)]);
  expect([failing.isFailing, planned.isFailing]).toEqual([true, false]);
});
