import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  aSend,
  type Cores,
  interleave,
  newGroup,
  newSid,
  openCores,
  storeOne,
  userOf,
  waitUntilBlocked,
} from '../../test/test-db.ts';
import { findStored } from '../messages/find-stored.ts';
import { messagingSend } from '../messages/messaging-send.ts';
import { readOutcome } from '../verification/anonymous-request.ts';
import { verificationRequestCode } from '../verification/verification-request-code.ts';
import { verificationSubmitCode } from '../verification/verification-submit-code.ts';
import { groupFingerprints } from './fingerprint.ts';
import { groupAddMember } from './group-add-member.ts';
import { groupCreate } from './group-create.ts';
import { groupLeave } from './group-leave.ts';
import { type Refusable, refuse } from './refuse.ts';

let cores: Cores;
beforeAll(async () => {
  cores = await openCores();
});
afterAll(() => cores.close());

const failed = [{ ok: false, reason: 'failed' }];
type Send = ReturnType<typeof aSend>;

const ofSend = ({ sender_id, request_id }: Send): Refusable => ({
  type: 'send',
  user_id: sender_id,
  request_id,
});

/** Writes the message of a send, far behind those of its group. */
function insertOf(session: Cores['session'], { group_id, sender_id, request_id }: Send) {
  return session.query(
    `INSERT INTO message (id, group_id, seq, sender_id, request_id, content, date_created)
     VALUES (nextval('message_id_seq'), $1, 1000, $2, $3, '', now())`,
    [group_id, sender_id, request_id],
  );
}

describe('a send that was given up', () => {
  test('is never stored, whichever core runs it again, and leaves no gap and no trace in its group', async () => {
    const { group_id, users } = await newGroup(cores.one, 2);
    const send = aSend(users[0], group_id);
    expect(await refuse(cores.one, [ofSend(send)])).toEqual([true]);
    expect(await refuse(cores.two, [ofSend(send)])).toEqual([true]);
    expect(await messagingSend(cores.two, [send])).toEqual(failed);
    expect(await messagingSend(cores.two, [{ ...send, content: 'another' }])).toEqual(failed);
    expect(await findStored(cores.one, [send])).toEqual([null]);
    expect((await storeOne(cores.one, aSend(users[0], group_id))).seq).toBe(1);
  });

  test('is refused to a statement that was begun before, and the others of its batch are stored', async () => {
    const { group_id, users } = await newGroup(cores.one, 2);
    const late = [aSend(users[0], group_id), aSend(users[0], group_id)];
    await cores.session.query('BEGIN');
    await cores.session.query('SELECT FROM "group" WHERE id = $1 FOR UPDATE', [group_id]);
    const stored = messagingSend(cores.two, late);
    await waitUntilBlocked(cores, 'two');
    expect(await refuse(cores.one, [ofSend(late[0] as Send)])).toEqual([true]);
    await cores.session.query('COMMIT');
    expect(await stored).toEqual([...failed, expect.objectContaining({ ok: true, seq: 1 })]);
  });

  test('is not given up when it is stored, or its commit is still under way', async () => {
    const { group_id, users } = await newGroup(cores.one, 2);
    const send = aSend(users[0], group_id);
    await storeOne(cores.one, send);
    expect(await refuse(cores.one, [ofSend(send)])).toEqual([false]);

    const pending = aSend(users[0], group_id);
    const refused = await interleave(
      cores,
      (session) => insertOf(session, pending),
      (two) => refuse(two, [ofSend(pending)]),
    );
    expect(refused).toEqual([false]);
  });
});

describe('a changing request that was given up', () => {
  const asked = () => ({ request_id: randomUUID(), repeatable: true });

  test('never happens, and has the same answer when any core runs it again', async () => {
    const { group_id, users } = await newGroup(cores.one, 3);
    const { user_id, sid } = users[0];
    const member_sid = newSid();
    const [created, added, left] = [asked(), asked(), asked()];
    const given: [{ request_id: string }, string][] = [
      [created, groupFingerprints.create('name', [sid, member_sid])],
      [added, groupFingerprints.add(group_id, member_sid)],
      [left, groupFingerprints.leave(group_id)],
    ];
    for (const [{ request_id }, fingerprint] of given) {
      const refusable: Refusable = { type: 'change', user_id, request_id, fingerprint };
      expect([await refuse(cores.one, [refusable]), await refuse(cores.two, [refusable])]).toEqual([
        [true],
        [true],
      ]);
    }
    const member_sids = [sid, member_sid];
    expect([
      await groupCreate(cores.two, { ...created, user_id, sid, group_name: 'name', member_sids }),
      await groupAddMember(cores.two, { ...added, user_id, group_id, member_sid }),
      await groupLeave(cores.two, { ...left, user_id, group_id }),
    ]).toMatchObject([...failed, ...failed, ...failed]);
    await expect(userOf(cores.one, member_sid)).rejects.toThrow('no user has');
  });

  test('is not given up when it has its answer already', async () => {
    const { group_id, users } = await newGroup(cores.one, 3);
    const { user_id } = users[0];
    const left = asked();
    await groupLeave(cores.one, { ...left, user_id, group_id });
    const fingerprint = groupFingerprints.leave(group_id);
    const refusable: Refusable = { type: 'change', user_id, request_id: left.request_id, fingerprint };
    expect(await refuse(cores.one, [refusable])).toEqual([false]);
  });

  test('about a code records no challenge and has no other outcome', async () => {
    const connection_id = randomUUID();
    const [recorded, submitted] = [randomUUID(), randomUUID()].map((request_id) => ({
      request_id,
      connection_id,
    })) as [{ request_id: string; connection_id: string }, { request_id: string; connection_id: string }];
    await refuse(cores.one, [
      { type: 'verification_request_code', ...recorded },
      { type: 'verification_submit_code', ...submitted },
    ]);
    expect(await readOutcome(cores.one, 'verification_request_code', recorded)).toBe('failed');
    expect(await readOutcome(cores.one, 'verification_submit_code', submitted)).toBe('failed');
    const hash = Buffer.alloc(1);
    const sid = newSid();
    await verificationRequestCode(cores.one, { ...recorded, sid, code_hash: hash, ttl_ms: 60_000 });
    const credential = { credential_hash: hash, token_hash: hash, key: 'k' };
    const judged = { ...submitted, code_hashes: [hash], ...credential, attempts_max: 5 };
    expect(await verificationSubmitCode(cores.two, judged)).toMatchObject({ outcome: 'failed' });
    await expect(userOf(cores.one, sid)).rejects.toThrow('no user has');
  });
});

describe('requests that are given up together', () => {
  test('are told apart: what is stored or on its way to be stored stands, the others never happen', async () => {
    const { group_id, users } = await newGroup(cores.one, 2);
    const [stored, pending, never] = [1, 2, 3].map(() => aSend(users[0], group_id)) as [Send, Send, Send];
    await storeOne(cores.one, stored);
    const { user_id } = users[1];
    const fingerprint = groupFingerprints.leave(group_id);
    const leave: Refusable = { type: 'change', user_id, request_id: randomUUID(), fingerprint };
    const again = { ...never };
    const given = [ofSend(never), ofSend(stored), leave, ofSend(pending), ofSend(again)];
    const refused = await interleave(
      cores,
      (session) => insertOf(session, pending),
      (two) => refuse(two, given),
    );
    expect(refused).toEqual([true, false, true, false, true]);
    expect(await messagingSend(cores.one, [never])).toEqual(failed);
    const left = { request_id: leave.request_id, repeatable: true, user_id, group_id };
    expect(await groupLeave(cores.one, left)).toMatchObject({ ok: false, reason: 'failed' });
  });

  test('by two cores in any order are given up by both, and neither has to begin again', async () => {
    const { group_id, users } = await newGroup(cores.one, 2);
    const sends = [1, 2, 3]
      .map(() => aSend(users[0], group_id))
      .sort((one, other) => (one.request_id < other.request_id ? -1 : 1)) as [Send, Send, Send];
    let reruns = 0;
    const onRerun = () => {
      reruns += 1;
    };
    // Each has one of the others by then, if they take them in different orders.
    await cores.session.query('BEGIN');
    await insertOf(cores.session, sends[1]);
    const first = refuse({ ...cores.one, onRerun }, sends.map(ofSend));
    await waitUntilBlocked(cores, 'one');
    const second = refuse({ ...cores.two, onRerun }, sends.toReversed().map(ofSend));
    await waitUntilBlocked(cores, 'two');
    await cores.session.query('COMMIT');
    expect([await first, await second]).toEqual([
      [true, false, true],
      [true, false, true],
    ]);
    expect(reruns).toBe(0);
  });
});
