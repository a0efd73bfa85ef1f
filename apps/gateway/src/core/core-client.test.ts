import type { RequestWriter } from '@hooligram/bus';
import type { CoreRequest } from '@hooligram/contract';
import { expect, test } from '@jest/globals';
import { CoreClient } from './core-client.ts';

const hourMs = 3_600_000;

test('after a break what is unanswered is written again in portions, in its order, bursts whole, without what is answered meanwhile', async () => {
  const written: { readonly ref: number; readonly orderKey: object | undefined }[] = [];
  const add = ({ ref }: CoreRequest, orderKey?: object) => void written.push({ ref, orderKey });
  const writer: RequestWriter<CoreRequest> = {
    ...{ add, addBehind: add, addWithinShare: add },
    waitingBytes: 0,
  };
  const client = new CoreClient({
    ...{ shards: 1, shardOf: () => 0, works: () => true, createWriter: () => writer, onShardLost() {} },
    ...{ repeatMs: hourMs, patienceMs: 2 * hourMs, creditBytes: 1, onRepeated() {}, onSettled() {} },
    ...{ epoch: () => 0, onEpoch() {} },
  });
  client.open(0);
  const params = { user_id: 1, sid: '1.5550100', repeatable: true, group_id: 1, content: 'hello' };
  const sessions = Array.from({ length: 300 }, () => ({}));
  const sending = sessions.flatMap((session) =>
    Array.from({ length: 7 }, () => client.within(0).request('MESSAGING_SEND', params, undefined, session)),
  );
  const answer = (refs: readonly number[]) => {
    const answers = refs.map((ref) => ({ ref, ok: true, answer: { message_id: ref } }));
    client.onAnswers(Buffer.from(JSON.stringify(answers)));
  };
  const refs = written.splice(0).map(({ ref }) => ref);

  client.repeatAll(0);
  const first = written.map(({ ref }) => ref);
  // Its other connection comes back, too: what was written before that may be lost.
  client.repeatAll(0);
  answer(refs.slice(-700));
  const turns: (typeof written)[] = [];
  for (let turn = written.splice(0); turn.length > 0; turn = written.splice(0)) {
    turns.push(turn);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(turns.flat().map(({ ref }) => ref)).toEqual([...refs.slice(0, -700), ...first]);
  expect(Math.max(...turns.map(({ length }) => length))).toBeLessThan(510);
  for (const [at, turn] of turns.entries()) {
    expect(turn.at(-1)?.orderKey).not.toBe(turns[at + 1]?.[0]?.orderKey);
  }
  answer(refs);
  for (const reply of await Promise.all(sending)) expect(reply.ok).toBe(true);
  client.close();
});
