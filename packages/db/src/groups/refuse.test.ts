import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  aSend,
  type Cores,
  inSession,
  interleave,
  newGroup,
  newSid,
  openCores,
  person,
  storeOne,
  waitUntilBlocked,
} from '../../test/test-db.ts';
import { findStored } from '../messages/find-stored.ts';
import { messagingSend } from '../messages/messaging-send.ts';
import { hasOlderTransaction, readClock } from '../statements/clock.ts';
import { isDeadlineError, isInfrastructureError, isRerunnable } from '../statements/errors.ts';
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
const ofSend = ({ sender_id, request_id }: ReturnType<typeof aSend>): Refusable => ({
  type: 'send',
  user_id: sender_id,
  request_id,
});

describe('a send that was given up', () => {
  test('is never stored, whoever runs it again, and leaves no hole and no trace in its group', async () => {
    const { group_id, people } = await newGroup(cores.one, 2);
    const send = aSend(people[0], group_id);
    expect(await refuse(cores.one, ofSend(send))).toBe(true);
    expect(await refuse(cores.two, ofSend(send))).toBe(true);
    expect(await messagingSend(cores.two, [send])).toEqual(failed);
    expect(await messagingSend(cores.two, [{ ...send, content: 'another' }])).toEqual(failed);
    expect(await findStored(cores.one, [send])).toEqual([null]);
    expect((await storeOne(cores.one, aSend(people[0], group_id))).seq).toBe(1);
  });

  test('is refused to a statement that was begun before, and the others of its batch are stored', async () => {
    const { group_id, people } = await newGroup(cores.one, 2);
    const late = [aSend(people[0], group_id), aSend(people[0], group_id)];
    await cores.session.query('BEGIN');
    await cores.session.query('SELECT FROM "group" WHERE id = $1 FOR UPDATE', [group_id]);
    const stored = messagingSend(cores.two, late);
    await waitUntilBlocked(cores, 'two');
    expect(await refuse(cores.one, ofSend(late[0] as ReturnType<typeof aSend>))).toBe(true);
    await cores.session.query('COMMIT');
    expect(await stored).toEqual([...failed, expect.objectContaining({ ok: true, seq: 1 })]);
  });

  test('is not given up when it is stored, or its commit is still under way', async () => {
    const { group_id, people } = await newGroup(cores.one, 2);
    const send = aSend(people[0], group_id);
    await storeOne(cores.one, send);
    expect(await refuse(cores.one, ofSend(send))).toBe(false);

    const pending = aSend(people[0], group_id);
    const refused = await interleave(
      cores,
      (session) =>
        session.query(
          `INSERT INTO message (id, group_id, seq, sender_id, request_id, content, date_created)
           VALUES (nextval('message_id_seq'), $1, 1000, $2, $3, '', now())`,
          [group_id, pending.sender_id, pending.request_id],
        ),
      (two) => refuse(two, ofSend(pending)),
    );
    expect(refused).toBe(false);
  });
});

describe('a changing request that was given up', () => {
  const asked = () => ({ request_id: randomUUID(), repeatable: true });

  test('never happens, and has the same answer for whoever runs it again', async () => {
    const { group_id, people } = await newGroup(cores.one, 3);
    const { user_id, sid } = people[0];
    const member_sid = newSid();
    const [created, added, left] = [asked(), asked(), asked()];
    const given: [{ request_id: string }, string][] = [
      [created, groupFingerprints.create('name', [sid, member_sid])],
      [added, groupFingerprints.add(group_id, member_sid)],
      [left, groupFingerprints.leave(group_id)],
    ];
    for (const [{ request_id }, fingerprint] of given) {
      const refusable: Refusable = { type: 'change', user_id, request_id, fingerprint };
      expect([await refuse(cores.one, refusable), await refuse(cores.two, refusable)]).toEqual([true, true]);
    }
    const member_sids = [sid, member_sid];
    expect([
      await groupCreate(cores.two, { ...created, user_id, sid, group_name: 'name', member_sids }),
      await groupAddMember(cores.two, { ...added, user_id, group_id, member_sid }),
      await groupLeave(cores.two, { ...left, user_id, group_id }),
    ]).toMatchObject([...failed, ...failed, ...failed]);
    await expect(person(cores.one, member_sid)).rejects.toThrow('nobody');
  });

  test('is not given up when it has its answer already', async () => {
    const { group_id, people } = await newGroup(cores.one, 3);
    const { user_id } = people[0];
    const left = asked();
    await groupLeave(cores.one, { ...left, user_id, group_id });
    const fingerprint = groupFingerprints.leave(group_id);
    const refusable: Refusable = { type: 'change', user_id, request_id: left.request_id, fingerprint };
    expect(await refuse(cores.one, refusable)).toBe(false);
  });

  test('of nobody is no recorded challenge and no outcome', async () => {
    const connection_id = randomUUID();
    const [recorded, submitted] = [randomUUID(), randomUUID()].map((request_id) => ({
      request_id,
      connection_id,
    })) as [{ request_id: string; connection_id: string }, { request_id: string; connection_id: string }];
    await refuse(cores.one, { type: 'verification_request_code', ...recorded });
    await refuse(cores.one, { type: 'verification_submit_code', ...submitted });
    expect(await readOutcome(cores.one, 'verification_request_code', recorded)).toBe('failed');
    expect(await readOutcome(cores.one, 'verification_submit_code', submitted)).toBe('failed');
    const hash = Buffer.alloc(1);
    const sid = newSid();
    await verificationRequestCode(cores.one, { ...recorded, sid, code_hash: hash, ttl_ms: 60_000 });
    const judged = { ...submitted, code_hash: hash, credential_hash: hash, attempts_max: 5 };
    expect(await verificationSubmitCode(cores.two, judged)).toBe('failed');
    await expect(person(cores.one, sid)).rejects.toThrow('nobody');
  });
});

describe('a deadline that passes', () => {
  const errorOf = (promise: Promise<unknown>) =>
    promise.then(
      () => undefined,
      (error: unknown) => error,
    );

  test('while a send waits for its group keeps all of its batch from being stored', async () => {
    const [busy, quiet] = [await newGroup(cores.one, 2), await newGroup(cores.one, 2)];
    const sends = [aSend(busy.people[0], busy.group_id), aSend(quiet.people[0], quiet.group_id)];
    const deadline = (await readClock(cores.one)) + 1_000;
    await cores.session.query('BEGIN');
    await cores.session.query('SELECT FROM "group" WHERE id = $1 FOR UPDATE', [busy.group_id]);
    const late = errorOf(messagingSend(cores.two, sends, deadline));
    while ((await readClock(cores.one)) <= deadline);
    await cores.session.query('COMMIT');
    const error = await late;
    expect([isDeadlineError(error), isInfrastructureError(error), isRerunnable(error)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(await findStored(cores.one, sends)).toEqual([null, null]);
    expect(await messagingSend(cores.one, sends, (await readClock(cores.one)) + 60_000)).toEqual([
      expect.objectContaining({ seq: 1 }),
      expect.objectContaining({ seq: 1 }),
    ]);
  });

  test('before a change of a group, or a submitted code, leaves nothing of it', async () => {
    const { group_id, people } = await newGroup(cores.one, 3);
    const { user_id, sid } = people[0];
    const other = newSid();
    const connection_id = randomUUID();
    const past = (await readClock(cores.one)) - 1;
    const ask = () => ({ request_id: randomUUID(), repeatable: true });
    const hash = Buffer.alloc(1);
    const challenge = {
      request_id: randomUUID(),
      connection_id,
      sid: other,
      code_hash: hash,
      ttl_ms: 60_000,
    };
    const submission = { request_id: randomUUID(), connection_id, credential_hash: hash, attempts_max: 5 };
    const judge = { ...submission, code_hash: hash };
    const create = { ...ask(), user_id, sid, group_name: 'late', member_sids: [sid, other] };
    const errors = [
      await errorOf(groupCreate(cores.one, create, past)),
      await errorOf(groupAddMember(cores.one, { ...ask(), user_id, group_id, member_sid: other }, past)),
      await errorOf(groupLeave(cores.one, { ...ask(), user_id, group_id }, past)),
      await errorOf(verificationRequestCode(cores.one, challenge, past)),
      (await verificationRequestCode(cores.one, challenge)) &&
        (await errorOf(verificationSubmitCode(cores.one, judge, past))),
    ];
    expect(errors.map(isDeadlineError)).toEqual(errors.map(() => true));
    await expect(person(cores.one, other)).rejects.toThrow('nobody');
    expect(await readOutcome(cores.one, 'verification_submit_code', submission)).toBeUndefined();
    expect(await groupLeave(cores.one, { ...ask(), user_id, group_id })).toMatchObject({ ok: true });
  });
});

test('a transaction of another core that began before a moment is seen until it has ended', async () => {
  const moment = () => readClock(cores.two);
  const before = await moment();
  await inSession(`${cores.url}?application_name=two`, async (session) => {
    await session.query('BEGIN');
    await session.query('SELECT 1');
    const after = await moment();
    expect([
      await hasOlderTransaction(cores.two, before),
      await hasOlderTransaction(cores.two, after),
    ]).toEqual([false, true]);
    await session.query('COMMIT');
    expect(await hasOlderTransaction(cores.two, after)).toBe(false);
  });
});
