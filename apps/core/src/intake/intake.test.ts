import { connectRedis, createNames, Publisher } from '@hooligram/bus';
import type { CoreAnswer, CoreRequest, RequestType } from '@hooligram/contract';
import { createMetrics } from '@hooligram/service';
import { freshPrefix, redisUrl, silentLog, until } from '@hooligram/testkit';
import { afterEach, expect, test } from '@jest/globals';
import type { Context } from '../context.ts';
import { createCoreMetrics } from '../metrics.ts';
import { Intake } from './intake.ts';

const disconnect: (() => void)[] = [];

afterEach(() => {
  for (const each of disconnect.splice(0)) each();
});

type Query = { readonly name: string };
type Question = { readonly group_id: number; readonly user_id?: number };

const never = new Promise<never>(() => {});

/** An intake whose replays are never read, nor states; and what it answers. */
async function fixture(databaseMax = 3) {
  const url = await redisUrl();
  const redis = await connectRedis(url, { role: 'command', name: 'test', log: silentLog });
  const answers = await connectRedis(url, { role: 'subscriber', name: 'test', log: silentLog });
  disconnect.push(() => redis.disconnect());
  disconnect.push(() => answers.disconnect());
  const names = createNames(freshPrefix());
  const publisher = new Publisher({
    ...{ redis, names, log: silentLog },
    refuse: () => ({}),
  });
  const answered: number[] = [];
  await answers.subscribe(names.gateway('node'));
  answers.on('message', (_: string, text: string) => {
    for (const { ref } of JSON.parse(text) as CoreAnswer[]) answered.push(ref);
  });
  const statements: string[] = [];
  const query = ({ name }: Query) => {
    statements.push(name);
    return name === 'group_states' ? never : Promise.resolve({ rows: [] });
  };
  const metrics = createMetrics({ role: 'core' });
  const context = {
    config: { CATCH_UP_DATABASE_MAX: databaseMax, ANONYMOUS_DATABASE_MAX: 1, REPLAY_PAGE_MESSAGES: 256 },
    metrics: createCoreMetrics(metrics),
    clock: { now: () => 0 },
    db: { epoch: { current: 0 }, pool: { query }, keepsStatements: true, onStatement() {} },
    replica: {
      pages: (_: unknown, asked: readonly Question[]) =>
        asked.some(({ user_id }) => user_id !== undefined)
          ? never
          : asked.map(({ group_id }) => ({ group_id, version: 1, last_seq: 0, messages: [] })),
    },
    deliveryChecks: { settled: async () => {} },
    ...{ publisher, log: silentLog },
  } as unknown as Context;
  const intake = new Intake(context);
  let entries = 0;
  const request = async (type: RequestType, params: object) => {
    entries += 1;
    const ref = entries;
    const requests = [{ ref, request_id: `${ref}`, type, params } as unknown as CoreRequest];
    const source = {
      ...{ index: 0, clock: { now: () => 0 }, deadlines: { of: (ms: number) => ms } },
      leaveUnknown() {},
    } as unknown as Parameters<Intake['accept']>[1];
    intake.accept({ id: `${ref}-1`, node: 'node', deadline: 60_000, requests }, source);
    // In batches of their own.
    await new Promise((resolve) => setImmediate(resolve));
    return ref;
  };
  const isAnswered = (ref: number) =>
    until(
      `request ${ref} is answered`,
      () => answered,
      (refs) => refs.includes(ref),
    );
  return { request, isAnswered, statements, metrics };
}

test('a page behind a gap is answered while replays have all their places, and both count as pages', async () => {
  const { request, isAnswered, metrics } = await fixture();
  for (let user_id = 1; user_id <= 40; user_id += 1) {
    await request('REPLAY_PAGE', { group_id: 1, after_seq: 0, user_id });
  }
  await isAnswered(await request('REPLAY_PAGE', { group_id: 2, after_seq: 0 }));
  const users = /^hooligram_core_request_users\{type="REPLAY_PAGE",.*\} (\d+)$/m.exec(await metrics.text());
  expect(users?.[1]).toBe('40');
});

test('states of groups are read one statement at a time, and leave the other places to those who come back', async () => {
  const { request, isAnswered, statements } = await fixture(2);
  for (let group = 1; group <= 3; group += 1) await request('GROUP_STATES', { group_ids: [group] });
  await isAnswered(await request('GROUP_HEADS', { group_ids: [1] }));
  expect(statements).toEqual(['group_states', 'group_heads']);
});
