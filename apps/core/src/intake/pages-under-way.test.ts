import { connectRedis, createNames, Publisher } from '@hooligram/bus';
import { createMetrics } from '@hooligram/service';
import { freshPrefix, redisUrl, silentLog } from '@hooligram/testkit';
import { expect, test } from '@jest/globals';
import type { Context } from '../context.ts';
import { createCoreMetrics } from '../metrics.ts';
import { PageRests } from '../requests/page-rests.ts';
import { createReplayPageHandler } from '../requests/replay-page.ts';
import { Batcher } from './batcher.ts';
import type { Burst } from './bursts.ts';

const requests = 200;
/** Two batches of eight that are read and encoded, and as many pages that are encoded and wait until they leave. */
const underWayMax = 2 * 2 * 8;

const unrested = new PageRests({ nowMs: () => 0, pause: async () => {} });

const messages = Array.from({ length: 5 }, (_, index) => ({
  ...{ seq: index + 1, message_id: index + 1, sender_sid: '1.5550100', content: 'x'.repeat(60_000) },
  date_created: '2026-11-26T00:00:00.000Z',
}));

test('of hundreds of full pages that are asked for at once, a core has only so many in hand as two batches read and two wait to leave', async () => {
  const redis = await connectRedis(await redisUrl(), { role: 'command', name: 'test', log: silentLog });
  const names = createNames(freshPrefix());
  const publisher = new Publisher({
    ...{ redis, names, log: silentLog },
    refuse: () => ({}),
  });
  const underWay = { now: 0, most: 0 };
  const context = {
    config: { REPLAY_PAGE_MESSAGES: 256 },
    metrics: createCoreMetrics(createMetrics({ role: 'core' })),
    clock: { now: () => 0 },
    db: { epoch: { current: 0 } },
    replica: {
      async pages(_: unknown, asked: readonly { readonly group_id: number }[]) {
        underWay.now += asked.length;
        underWay.most = Math.max(underWay.most, underWay.now);
        return asked.map(({ group_id }) => ({ group_id, version: 1, last_seq: 5, messages }));
      },
    },
  } as unknown as Context;
  let left = requests;
  await new Promise<void>((resolve) => {
    // Rests make the publisher only the quicker one of the two.
    const handler = createReplayPageHandler({ rests: unrested });
    const batcher = new Batcher<'REPLAY_PAGE'>(context, 'REPLAY_PAGE', handler, (_, [outcome]) => {
      const answer = {
        toJSON() {
          underWay.now -= 1;
          left -= 1;
          if (left === 0) resolve();
          return outcome;
        },
      };
      publisher.answerBehind('node', answer, '1-1');
    });
    for (let ref = 0; ref < requests; ref += 1) batcher.enqueue(burstOf(ref));
  });
  await publisher.flushed();
  redis.disconnect();
  expect(underWay.now).toBe(0);
  expect(underWay.most).toBeGreaterThan(8);
  expect(underWay.most).toBeLessThanOrEqual(underWayMax);
});

function burstOf(ref: number): Burst<'REPLAY_PAGE'> {
  const entry = { id: '1-1', shard: 0, node: 'node', deadline: 9_000, requestsOpen: requests };
  return {
    ...{ owner: ref, deadline: 9_000, weight: 1, mayBeDone: false },
    entry: { ...entry, areOutcomesKnown: true, failuresBefore: 0 },
    requests: [{ ref, request_id: `${ref}`, type: 'REPLAY_PAGE', params: { group_id: 1, after_seq: 0 } }],
  };
}
