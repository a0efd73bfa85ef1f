import { expect, test } from '@jest/globals';
import { emptyHistory } from '../src/checker/history.ts';
import { type OutageReport, outageReport } from '../src/outages/outage-report.ts';

const [ada, bob] = ['1.1', '1.2'];
/** Ada and group 10 live on the first Redis, Bob and group 11 on the second. */
const placed = {
  shardOfUser: (sid: string) => [ada, bob].indexOf(sid),
  shardOfGroup: (groupId: number) => groupId - 10,
};
/** The second Redis was away. */
const outage = { shard: 1, from: 1_000, to: 3_000 };

type Sent = {
  sid?: string;
  groupId: number;
  at: number;
  answeredAt: number;
  arrives: readonly [number, number][];
};

/** Connection 0 is Ada's; 1 and 2 are Bob's, who was disconnected in between; 3 is that of Bob's phone, which comes and goes. */
function reportOf(...sent: readonly Sent[]): OutageReport {
  const history = emptyHistory();
  history.connections.push(
    { sid: ada, device: 'ada', signInAt: 0 },
    { sid: bob, device: 'bob', signInAt: 0 },
    { sid: bob, device: 'bob', signInAt: 2_000 },
    { sid: bob, device: 'phone', signInAt: 0, cutAt: 900 },
    { sid: bob, device: 'phone', signInAt: 5_000 },
  );
  for (const { sid = ada, groupId, at, answeredAt, arrives } of sent) {
    const content = `of ${at}`;
    const answer = { ok: true, at: answeredAt, messageId: at } as const;
    history.sends.push({
      ...{ sid, id: content, groupId, content, isOnce: false },
      attempts: [{ connection: 0, at, answer }],
    });
    for (const [connection, arrivedAt] of arrives) {
      const delivery = { connection, at: arrivedAt, messageId: at, groupId, senderSid: sid, content };
      history.deliveries.push({ ...delivery, isKept: true });
    }
  }
  return outageReport(history, [outage], placed);
}

function rowOf({ rows }: OutageReport, part: string, phase: string) {
  return rows.find((row) => row.part === part && row.phase === phase);
}

test('what lives on the Redis that was away is told apart from what lives elsewhere, and before from meanwhile', () => {
  const report = reportOf(
    { groupId: 10, at: 500, answeredAt: 501, arrives: [[0, 502]] },
    {
      ...{ groupId: 10, at: 1_500, answeredAt: 1_505 },
      arrives: [
        [0, 1_507],
        [1, 1_530],
      ],
    },
    { groupId: 11, at: 1_600, answeredAt: 1_606, arrives: [[2, 3_100]] },
    { sid: bob, groupId: 10, at: 1_700, answeredAt: 3_200, arrives: [[0, 3_210]] },
  );
  const spread = (ms: number) => ({ p50: ms, p99: ms, most: ms });
  expect(rowOf(report, 'nothing', 'before')).toMatchObject({
    messages: 1,
    answered: spread(1),
    delivered: spread(2),
  });
  expect(rowOf(report, 'nothing', 'away')).toMatchObject({
    messages: 1,
    answered: spread(5),
    delivered: spread(7),
  });
  expect(rowOf(report, 'its receiver', 'away')).toMatchObject({
    messages: 1,
    answered: { p50: undefined },
    delivered: spread(30),
  });
  expect(rowOf(report, 'its group', 'away')).toMatchObject({ answered: spread(6), delivered: spread(1_500) });
  expect(rowOf(report, 'its sender', 'away')).toMatchObject({
    answered: spread(1_500),
    delivered: spread(1_510),
  });
  expect(report.whole).toEqual([{ groups: 2, p50Ms: 210, lastMs: 210 }]);
});

test('a message counts once a device, and not for a device that had left by itself', () => {
  const report = reportOf({
    groupId: 10,
    at: 1_500,
    answeredAt: 1_501,
    arrives: [
      [1, 1_510],
      [2, 2_010],
      [4, 5_010],
    ],
  });
  expect(rowOf(report, 'its receiver', 'away')?.delivered).toEqual({ p50: 10, p99: 10, most: 10 });
});

test('a message that came on the next connection counts for a device that was disconnected', () => {
  const report = reportOf({ groupId: 10, at: 1_500, answeredAt: 1_501, arrives: [[2, 2_010]] });
  expect(rowOf(report, 'its receiver', 'away')?.delivered).toEqual({ p50: 510, p99: 510, most: 510 });
});
