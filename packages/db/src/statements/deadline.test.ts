import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { aSend, type Cores, inSession, newGroup, newSid, openCores, userOf } from '../../test/test-db.ts';
import { groupAddMember } from '../groups/group-add-member.ts';
import { groupCreate } from '../groups/group-create.ts';
import { groupLeave } from '../groups/group-leave.ts';
import { findStored } from '../messages/find-stored.ts';
import { messagingSend } from '../messages/messaging-send.ts';
import { readOutcome } from '../verification/anonymous-request.ts';
import { verificationRequestCode } from '../verification/verification-request-code.ts';
import { verificationSubmitCode } from '../verification/verification-submit-code.ts';
import { hasOlderTransaction, readClock } from './clock.ts';
import { isDeadlineError, isInfrastructureError, isRerunnable } from './errors.ts';

let cores: Cores;
beforeAll(async () => {
  cores = await openCores();
});
afterAll(() => cores.close());

describe('a deadline that passes', () => {
  const errorOf = (promise: Promise<unknown>) =>
    promise.then(
      () => undefined,
      (error: unknown) => error,
    );

  test('while a send waits for its group keeps all of its batch from being stored', async () => {
    const [busy, quiet] = [await newGroup(cores.one, 2), await newGroup(cores.one, 2)];
    const sends = [aSend(busy.users[0], busy.group_id), aSend(quiet.users[0], quiet.group_id)];
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
    const { group_id, users } = await newGroup(cores.one, 3);
    const { user_id, sid } = users[0];
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
    const judge = { ...submission, code_hashes: [hash], token_hash: hash, key: 'k' };
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
    await expect(userOf(cores.one, other)).rejects.toThrow('no user has');
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
