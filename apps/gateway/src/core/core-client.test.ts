import type { RequestWriter, WriteFailure } from '@hooligram/bus';
import type { CoreRequest } from '@hooligram/contract';
import { describe, expect, test } from '@jest/globals';
import { CoreClient } from './core-client.ts';

const hourMs = 3_600_000;

/** A client that writes its requests with this. */
function clientOf(
  add: (request: CoreRequest, orderKey?: object) => void,
  onWriter: (onFailed: (requests: readonly CoreRequest[], failure: WriteFailure) => void) => void = () => {},
): CoreClient {
  const writer: RequestWriter<CoreRequest> = {
    ...{ add, addBehind: add, addWithinShare: add },
    waitingBytes: 0,
  };
  return new CoreClient({
    ...{ shards: 1, shardOf: () => 0, works: () => true, onShardLost() {} },
    createWriter(_, onFailed) {
      onWriter(onFailed);
      return writer;
    },
    ...{ repeatMs: hourMs, patienceMs: 2 * hourMs, creditBytes: 1, onRepeated() {}, onSettled() {} },
    ...{ epoch: () => 0, onEpoch() {} },
  });
}

test('after a break what is unanswered is written again in portions, in its order, bursts whole, without what is answered meanwhile', async () => {
  const written: { readonly ref: number; readonly id: string; readonly orderKey: object | undefined }[] = [];
  const add = ({ ref, request_id: id }: CoreRequest, orderKey?: object) =>
    void written.push({ ref, id, orderKey });
  const client = clientOf(add);
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
  const begun = written.splice(0);
  const refs = begun.map(({ ref }) => ref);
  const ids = begun.map(({ id }) => id);

  client.repeatAll(0);
  const first = written.map(({ id }) => id);
  // Its other connection comes back, too: what was written before that may be lost.
  client.repeatAll(0);
  answer(refs.slice(-700));
  const turns: (typeof written)[] = [];
  for (let turn = written.splice(0); turn.length > 0; turn = written.splice(0)) {
    turns.push(turn);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(turns.flat().map(({ id }) => id)).toEqual([...ids.slice(0, -700), ...first]);
  expect(Math.max(...turns.map(({ length }) => length))).toBeLessThan(510);
  for (const [at, turn] of turns.entries()) {
    expect(turn.at(-1)?.orderKey).not.toBe(turns[at + 1]?.[0]?.orderKey);
  }
  answer(refs);
  for (const reply of await Promise.all(sending)) expect(reply.ok).toBe(true);
  client.close();
});

describe('a request that was refused while there may be a copy of it in the stream', () => {
  const refused = { ok: false, errors: ['not a member'] };
  const stored = { ok: true, answer: { message_id: 7 } };
  const params = { user_id: 1, sid: '1.5550100', repeatable: true, group_id: 1, content: 'hello' };

  /** One that was written again, and then refused. @returns what else happens to it */
  async function refusedAfterCopy() {
    const written: CoreRequest[] = [];
    let fail: (requests: readonly CoreRequest[], failure: WriteFailure) => void = () => {};
    const client = clientOf(
      (request) => void written.push(request),
      (onFailed) => {
        fail = onFailed;
      },
    );
    client.open(0);
    const settled: unknown[] = [];
    const sending = client.within(0).request('MESSAGING_SEND', params);
    void sending.then((reply) => settled.push(reply));
    client.repeatAll(0);
    const [first, copy] = written as [CoreRequest, CoreRequest];
    const answer = ({ ref }: CoreRequest, outcome: object) =>
      client.onAnswers(Buffer.from(JSON.stringify([{ ref, ...outcome }])));
    answer(first, refused);
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).toEqual([]);
    return { client, first, copy, answer, sending, fail: (failure: WriteFailure) => fail([copy], failure) };
  }

  test('is what its copy becomes, which says that it is one', async () => {
    const { client, first, copy, answer, sending } = await refusedAfterCopy();
    expect(copy).toEqual({ ...first, ref: expect.any(Number), again: true });
    expect(first.again).toBeUndefined();
    answer(copy, stored);
    expect(await sending).toEqual(stored);
    expect(client.pending).toBe(0);
    const other = await refusedAfterCopy();
    other.answer(other.copy, refused);
    expect(await other.sending).toEqual(refused);
    for (const each of [client, other.client]) each.close();
  });

  test('is refused as soon as it is certain that the copy was not written, and unknown at the end', async () => {
    const { client, sending, fail } = await refusedAfterCopy();
    fail('unsent');
    expect(await sending).toEqual(refused);
    const uncertain = await refusedAfterCopy();
    uncertain.fail('uncertain');
    uncertain.client.close();
    expect(await uncertain.sending).toMatchObject({ ok: false, isUnknown: true });
    client.close();
  });
});

test('at the end every one of very many requests that wait for credit is told that the server is busy', async () => {
  const written: number[] = [];
  const client = clientOf(({ ref }) => void written.push(ref));
  client.open(0);
  const core = client.within(0);
  const asking = Array.from({ length: 20_000 }, (_, at) =>
    core.request('GROUP_HEADS', { group_ids: [at + 1] }),
  );
  client.close();
  const replies = await Promise.all(asking);
  expect(written).toHaveLength(1);
  expect(replies.filter((reply) => !reply.ok && !reply.isUnknown)).toHaveLength(19_999);
});

test('a page for a connection that has closed before its turn is not requested, and a gap comes before those of replays', async () => {
  const written: CoreRequest[] = [];
  const client = clientOf((request) => void written.push(request));
  client.open(0);
  const core = client.within(0);
  const connection = (isOpen: boolean) => ({ isOpen, messageBytes: 1_000 });
  const page = (group_id: number, asker: object, user_id?: number) =>
    core.request(
      'REPLAY_PAGE',
      { group_id, after_seq: 0, ...(user_id && { user_id }) },
      undefined,
      undefined,
      asker,
    );
  const gone = connection(true);
  const asking = [page(1, connection(true), 7), page(2, gone, 8), page(3, connection(true), 9), page(4, {})];
  gone.isOpen = false;
  const answered: number[] = [];
  for (let request = written.shift(); request; request = written.shift()) {
    const { ref, params } = request as CoreRequest<'REPLAY_PAGE'>;
    answered.push(params.group_id);
    client.onAnswers(Buffer.from(JSON.stringify([{ ref, ok: false, errors: ['not a member'] }])));
  }
  expect(answered).toEqual([1, 4, 3]);
  await Promise.all(asking);
  client.close();
});
