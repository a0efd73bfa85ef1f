import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { createLifecycle } from './lifecycle.ts';
import { createLog } from './log.ts';
import { createMetrics } from './metrics.ts';
import { startProbe } from './probe.ts';
import { watchReadiness } from './readiness-watch.ts';
import { createServiceMetrics } from './service-metrics.ts';
import { untilWorks } from './until-works.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

function setUp() {
  const lines: { msg: string; failures?: number; reason?: string; checks?: object; see?: string }[] = [];
  const log = createLog({
    name: 'test',
    destination: { write: (text) => void lines.push(JSON.parse(text)) },
  });
  return { log, lines, lifecycle: createLifecycle({ log, deadlineMs: 1_000 }) };
}

test('a part that fails a thousand times is a line at once, some with a count, and one when it works again, and the next failure is a line at once', async () => {
  const { lifecycle, lines } = setUp();
  const part = lifecycle.part('reader');
  part.works();
  for (let second = 0; second < 100; second += 1) {
    for (let times = 0; times < 10; times += 1) part.failed('refused');
    await jest.advanceTimersByTimeAsync(1_000);
  }
  expect((await lifecycle.readiness()).checks.reader).toBe('refused');
  part.works();
  part.works();
  expect((await lifecycle.readiness()).checks.reader).toBe('ok');
  // After 1, 3, 7, 15, 31 and 63 seconds.
  const counts = [10, 30, 70, 150, 310, 630].map((failures) => ['fails and is tried again', failures]);
  expect(lines.map(({ msg, failures }) => [msg, failures])).toEqual([
    ['fails and is tried again', 1],
    ...counts,
    ['works again', 1_000],
  ]);
  for (let times = 0; times < 5; times += 1) part.failed('refused');
  part.works();
  part.failed('refused');
  await jest.advanceTimersByTimeAsync(120_000);
  expect(lines.slice(8).map(({ msg, failures }) => [msg, failures])).toEqual([
    ['fails and is tried again', 1],
    ['works again', 5],
    ['fails and is tried again', 1],
  ]);
});

test('what is lost and what is found again names the page that says what to do', async () => {
  const { lifecycle, lines } = setUp();
  for (const name of ['bus, redis://10.0.0.1', 'database', 'traces', 'something']) {
    const part = lifecycle.part(name);
    part.failed('away');
    part.works();
  }
  expect(lines.map(({ msg, see }) => [msg, see])).toEqual(
    [
      'docs/runbook.md#redisaway',
      'docs/runbook.md#postgresnotwritable',
      'docs/traces.md#when-the-collector-is-away',
      'docs/runbook.md',
    ].flatMap((page) => [
      ['fails and is tried again', page],
      ['works again', page],
    ]),
  );
});

test('what a start needs is tried until it is there, and a stop ends the waiting', async () => {
  const { lifecycle } = setUp();
  let tries = 0;
  const there = untilWorks(lifecycle, 'store', async () => {
    tries += 1;
    if (tries < 4) throw new Error('away');
    return 'there';
  });
  await jest.advanceTimersByTimeAsync(250);
  expect((await lifecycle.readiness()).checks.store).toBe('away');
  await jest.advanceTimersByTimeAsync(10_000);
  expect(await there).toBe('there');
  expect((await lifecycle.readiness()).checks.store).toBe('ok');

  const never = untilWorks(lifecycle, 'store', () => Promise.reject(new Error('away')));
  const ended = expect(never).rejects.toThrow();
  await lifecycle.close();
  await ended;
});

test('a probe says at once what is wrong, and that an answer is late only when it is very late', async () => {
  let answer: () => Promise<true | string> = async () => true;
  const probe = startProbe({ ask: () => answer(), everyMs: 1_000, silenceMaxMs: 3_500 });
  await jest.advanceTimersByTimeAsync(0);
  expect(probe.check()).toBe(true);
  answer = async () => 'read-only';
  await jest.advanceTimersByTimeAsync(1_000);
  expect(probe.check()).toBe('read-only');
  answer = async () => true;
  await jest.advanceTimersByTimeAsync(1_000);
  answer = () => new Promise(() => {});
  await jest.advanceTimersByTimeAsync(3_500);
  expect(probe.check()).toBe(true);
  await jest.advanceTimersByTimeAsync(1);
  expect(probe.check()).toMatch(/no answer/);
  probe.close();
});

test('the loss of readiness is a line, its return is another, and the metric says which check fails', async () => {
  const { log, lines, lifecycle } = setUp();
  const metrics = createMetrics({ role: 'test' });
  let store: true | string = 'away';
  lifecycle.check('store', () => store);
  const end = watchReadiness({ lifecycle, log, metrics: createServiceMetrics(metrics) });
  const after = async (now: true | string) => {
    store = now;
    await jest.advanceTimersByTimeAsync(2_000);
    return (await metrics.text()).match(/hooligram_ready\{check="store".*\} (\d)/)?.[1];
  };
  expect(await after('away')).toBe('0');
  lifecycle.markStarted();
  expect(await after(true)).toBe('1');
  expect(lines).toEqual([]);
  expect(await after('away')).toBe('0');
  await after('still away');
  await after(true);
  expect(lines.map(({ msg, checks, see }) => [msg, checks, see])).toEqual([
    ['not ready', { store: 'away' }, 'docs/runbook.md'],
    ['ready again', undefined, 'docs/runbook.md'],
  ]);
  end();
});
