import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Cores, interleave, newSid, openCores } from '../../test/test-db.ts';
import type { Db } from '../session/db.ts';
import { anonymousRequestId, readOutcome, settleOutcome } from './anonymous-request.ts';
import { readCredentials } from './authorization-sign-in.ts';
import { beginCheck, endCheck } from './check-challenge.ts';
import { deleteExpiredChallenges } from './delete-expired-challenges.ts';
import { readChallenge } from './read-challenge.ts';
import { verificationRequestCode } from './verification-request-code.ts';
import { verificationSubmitCode } from './verification-submit-code.ts';

let cores: Cores;
let db: Db;
beforeAll(async () => {
  cores = await openCores();
  db = cores.one;
});
afterAll(() => cores.close());

/** No challenge of an earlier test expires while this file runs. */
const hourMs = 3_600_000;

const hash = (text: string) => Buffer.from(text);

function asking(sid: string, connection_id: string = randomUUID(), code: string | null = 'right') {
  const code_hash = code === null ? null : hash(code);
  return { request_id: randomUUID(), connection_id, sid, code_hash, ttl_ms: hourMs };
}

function submission(connection_id: string, code: string, credential = 'credential') {
  return {
    request_id: randomUUID(),
    connection_id,
    code_hashes: [hash('of an older key'), hash(code)],
    ...credentialFrom(credential),
    attempts_max: 3,
  };
}

function credentialFrom(credential: string) {
  return { credential_hash: hash(credential), token_hash: hash(`token of ${credential}`), key: 'k' };
}

const submit = async (on: Db, of: Parameters<typeof verificationSubmitCode>[1]) =>
  (await verificationSubmitCode(on, of)).outcome;

const finish = async (on: Db, check: Parameters<typeof endCheck>[1]) => (await endCheck(on, check)).outcome;

async function credentialOf(sid: string): Promise<string | null | undefined> {
  const [found] = await readCredentials(db, [sid]);
  return found ? (found.credential_hash?.toString() ?? null) : undefined;
}

async function attemptsOf({ connection_id }: { connection_id: string }): Promise<number | undefined> {
  return (await db.prisma.verificationChallenge.findUnique({ where: { connectionId: connection_id } }))
    ?.attempts;
}

test('requesting a code creates no user, and leaves the credential that the number has', async () => {
  const [stranger, known] = [newSid(), newSid()];
  const first = asking(known);
  await verificationRequestCode(db, first);
  await submit(db, submission(first.connection_id, 'right', 'old'));

  await verificationRequestCode(db, asking(stranger));
  await verificationRequestCode(db, asking(known));
  expect(await credentialOf(stranger)).toBeUndefined();
  expect(await credentialOf(known)).toBe('old');
});

test('a right code becomes the credential and replaces the old one; the challenge is used up', async () => {
  const sid = newSid();
  for (const credential of ['first', 'second']) {
    const request = asking(sid);
    await verificationRequestCode(db, request);
    expect(await submit(db, submission(request.connection_id, 'right', credential))).toBe('right');
    expect(await credentialOf(sid)).toBe(credential);
    expect(await readChallenge(db, request.connection_id)).toBeNull();
    expect(await submit(db, submission(request.connection_id, 'right'))).toBe('none');
  }
});

test('a wrong or an empty code changes nothing but the attempts, which run out', async () => {
  const request = asking(newSid());
  await verificationRequestCode(db, request);
  for (const code of ['wrong', '', 'right ']) {
    expect(await submit(db, submission(request.connection_id, code))).toBe('wrong');
  }
  expect(await readChallenge(db, request.connection_id)).toMatchObject({ sid: request.sid });
  expect(await attemptsOf(request)).toBe(3);
  expect(await submit(db, submission(request.connection_id, 'right'))).toBe('too_many');
  expect(await credentialOf(request.sid)).toBeUndefined();
});

test('the latest request on a connection counts, with all its attempts; other connections have none', async () => {
  const first = asking(newSid(), randomUUID(), 'first code');
  await verificationRequestCode(db, first);
  await submit(db, submission(first.connection_id, 'wrong'));
  const second = asking(newSid(), first.connection_id, 'second code');
  await verificationRequestCode(db, second);

  expect(await readChallenge(db, first.connection_id)).toMatchObject({ sid: second.sid });
  expect(await attemptsOf(first)).toBe(0);
  expect(await submit(db, submission(randomUUID(), 'second code'))).toBe('none');
  expect(await submit(db, submission(first.connection_id, 'first code'))).toBe('wrong');
  expect(await submit(db, submission(first.connection_id, 'second code'))).toBe('right');
  expect(await credentialOf(first.sid)).toBeUndefined();
  expect(await credentialOf(second.sid)).toBe('credential');
});

function checking({ sid, connection_id }: { sid: string; connection_id: string }) {
  return {
    request_id: randomUUID(),
    connection_id,
    sid,
    attempts_max: 3,
    ...credentialFrom('credential'),
  };
}

async function checked(check: ReturnType<typeof checking>, outcome: 'right' | 'wrong' | 'unavailable') {
  expect(await beginCheck(db, check)).toBe('begun');
  return finish(db, { ...check, outcome });
}

describe('a code that a provider keeps', () => {
  const recorded = async (code: string | null = null, ttl_ms = hourMs) => {
    const request = { ...asking(newSid(), randomUUID(), code), ttl_ms };
    await verificationRequestCode(db, request);
    return request;
  };

  test('becomes the credential with the outcome of the provider, and uses the challenge up', async () => {
    const outside = await recorded();
    expect(await checked(checking(outside), 'wrong')).toBe('wrong');
    expect(await checked(checking(outside), 'unavailable')).toBe('unavailable');
    expect(await credentialOf(outside.sid)).toBeUndefined();
    expect(await checked(checking(outside), 'right')).toBe('right');
    expect(await credentialOf(outside.sid)).toBe('credential');
    expect(await beginCheck(db, checking(outside))).toBe('none');
  });

  test('is not asked about behind the last attempt, also when all are made at once, nor when it has expired', async () => {
    const outside = await recorded();
    const begun = await Promise.all(
      Array.from({ length: 10 }, (_, n) => beginCheck(n % 2 ? cores.one : cores.two, checking(outside))),
    );
    expect(begun.filter((outcome) => outcome === 'begun')).toHaveLength(3);
    expect(begun.filter((outcome) => outcome === 'too_many')).toHaveLength(7);
    expect(await beginCheck(db, checking(await recorded(null, -1)))).toBe('expired');
    await deleteExpiredChallenges(db);
  });

  test('is asked about only for the user it was requested for, and only if it is kept there', async () => {
    const outside = await recorded();
    expect(await beginCheck(db, checking({ ...outside, sid: newSid() }))).toBe('none');
    expect(await beginCheck(db, checking(await recorded('right')))).toBe('none');
    expect(await submit(db, submission(outside.connection_id, ''))).toBe('wrong');
  });

  test('is asked about by one run alone, and has the first outcome for all of them', async () => {
    const outside = await recorded();
    const check = checking(outside);
    expect(await beginCheck(db, check)).toBe('begun');
    expect(await beginCheck(cores.two, check)).toBe('under_way');
    expect(await readOutcome(cores.two, 'verification_submit_code', check)).toBe('under_way');
    expect(await settleOutcome(cores.two, 'verification_submit_code', check, 'unavailable', 60_000)).toBe(
      'under_way',
    );
    expect(await finish(db, { ...check, outcome: 'right' })).toBe('right');
    expect(await settleOutcome(cores.two, 'verification_submit_code', check, 'unavailable', 0)).toBe('right');
    expect(await readOutcome(cores.two, 'verification_submit_code', check)).toBe('right');
  });

  test('that was given up has no effect any more, whatever the provider says then', async () => {
    const outside = await recorded();
    const check = checking(outside);
    await beginCheck(db, check);
    expect(await settleOutcome(cores.two, 'verification_submit_code', check, 'unavailable', 0)).toBe(
      'unavailable',
    );
    expect(await finish(db, { ...check, outcome: 'right' })).toBe('unavailable');
    expect(await credentialOf(outside.sid)).toBeUndefined();
  });

  test('that is being given up while the provider’s outcome takes effect is not given up', async () => {
    const outside = await recorded();
    const check = checking(outside);
    await beginCheck(db, check);
    const outcome = await interleave(
      cores,
      (session) =>
        session.query("SELECT verification_finish_check($1, $2, $3, 'right', $4)", [
          anonymousRequestId('verification_submit_code', check),
          check.connection_id,
          check.sid,
          check.credential_hash,
        ]),
      (two) => settleOutcome(two, 'verification_submit_code', check, 'unavailable', 0),
    );
    expect(outcome).toBe('right');
    expect(await credentialOf(outside.sid)).toBe('credential');
  });
});

test('a request for a code is under way until its outcome is stored; the first outcome stands', async () => {
  const [sent, abandoned] = [asking(newSid()), asking(newSid())];
  expect(await readOutcome(db, 'verification_request_code', sent)).toBeUndefined();
  for (const request of [sent, abandoned]) await verificationRequestCode(db, request);
  expect(await readOutcome(cores.two, 'verification_request_code', sent)).toBe('under_way');
  expect(await settleOutcome(cores.two, 'verification_request_code', sent, 'unavailable', 60_000)).toBe(
    'under_way',
  );
  expect(await settleOutcome(db, 'verification_request_code', sent, 'sent')).toBe('sent');
  expect(await settleOutcome(cores.two, 'verification_request_code', sent, 'unavailable', 0)).toBe('sent');

  expect(await settleOutcome(cores.two, 'verification_request_code', abandoned, 'unavailable', 0)).toBe(
    'unavailable',
  );
  expect(await settleOutcome(db, 'verification_request_code', abandoned, 'sent')).toBe('unavailable');
  expect(await readOutcome(db, 'verification_request_code', abandoned)).toBe('unavailable');
});

test('the outcome of a request for a code is stored however soon it comes: its date is rounded, and may lie in the future', async () => {
  const request = asking(newSid());
  await verificationRequestCode(db, request);
  await db.pool.query(
    `UPDATE request SET date_created = clock_timestamp() + INTERVAL '1 hour' WHERE user_id = 0 AND request_id = $1`,
    [anonymousRequestId('verification_request_code', request)],
  );
  expect(await settleOutcome(db, 'verification_request_code', request, 'sent')).toBe('sent');
});

test('a code that the release before has recorded counts as sent', async () => {
  const request = asking(newSid());
  await verificationRequestCode(db, request);
  await db.pool.query(`UPDATE request SET answer = '{"ok": true}' WHERE user_id = 0 AND request_id = $1`, [
    anonymousRequestId('verification_request_code', request),
  ]);
  expect(await readOutcome(db, 'verification_request_code', request)).toBe('sent');
  expect(await settleOutcome(db, 'verification_request_code', request, 'unavailable', 0)).toBe('sent');
});

test('an expired challenge takes no code, and goes when it is cleaned up', async () => {
  const late = { ...asking(newSid()), ttl_ms: -1 };
  const fresh = asking(newSid());
  await verificationRequestCode(db, late);
  await verificationRequestCode(db, fresh);
  expect(await submit(db, submission(late.connection_id, 'right'))).toBe('expired');
  expect(await deleteExpiredChallenges(db)).toBe(1);
  expect(await readChallenge(db, late.connection_id)).toBeNull();
  expect(await readChallenge(db, fresh.connection_id)).not.toBeNull();
});

test('the requests of nobody are kept for a day', async () => {
  const request = asking(newSid());
  await verificationRequestCode(db, request);
  await deleteExpiredChallenges(db);
  expect(await verificationRequestCode(db, request)).toEqual({ is_new: false });
  await db.pool.query(`UPDATE request SET date_created = now() - interval '25 hours' WHERE user_id = 0`);
  await deleteExpiredChallenges(db);
  expect(await db.prisma.request.count({ where: { userId: 0n } })).toBe(0);
});

test('a request for a code that runs twice is recorded once, so that one code is sent', async () => {
  const request = asking(newSid());
  expect(await verificationRequestCode(db, request)).toEqual({ is_new: true });
  await submit(db, submission(request.connection_id, 'wrong'));
  expect(await verificationRequestCode(cores.two, { ...request, code_hash: hash('another') })).toEqual({
    is_new: false,
  });
  expect(await readChallenge(db, request.connection_id)).toMatchObject({ code_hash: hash('right') });
  expect(await attemptsOf(request)).toBe(1);
});

test('a submission that runs twice answers the same and counts once', async () => {
  const request = asking(newSid());
  await verificationRequestCode(db, request);
  const wrong = submission(request.connection_id, 'wrong');
  expect(await submit(db, wrong)).toBe('wrong');
  expect(await submit(cores.two, wrong)).toBe('wrong');
  expect(await attemptsOf(request)).toBe(1);
  const right = submission(request.connection_id, 'right');
  expect(await submit(db, right)).toBe('right');
  // What is hashed with the user's sid differs then: the challenge that named it is used up.
  const again = { ...right, code_hashes: [hash('of no user')], credential_hash: hash('of no user') };
  expect(await submit(cores.two, again)).toBe('right');
});

test('an id that another connection used too has its own answer on each', async () => {
  const [mine, theirs] = [asking(newSid()), asking(newSid())];
  expect(await verificationRequestCode(db, mine)).toEqual({ is_new: true });
  expect(await verificationRequestCode(db, { ...theirs, request_id: mine.request_id })).toEqual({
    is_new: true,
  });
  const right = submission(mine.connection_id, 'right');
  expect(await submit(db, right)).toBe('right');
  expect(await submit(db, { ...right, connection_id: theirs.connection_id, code_hashes: [hash('?')] })).toBe(
    'wrong',
  );
  expect(await submit(db, { ...right, connection_id: randomUUID() })).toBe('none');
});

test('two codes submitted on a connection at once are checked one after the other', async () => {
  const request = asking(newSid());
  await verificationRequestCode(db, request);
  const outcome = await interleave(
    cores,
    (session) =>
      session.query('SELECT verification_submit_code($1, $2, $3, $4, 3)', [
        randomUUID(),
        request.connection_id,
        hash('right'),
        hash('first'),
      ]),
    (two) => submit(two, submission(request.connection_id, 'right', 'second')),
  );
  expect(outcome).toBe('none');
  expect(await credentialOf(request.sid)).toBe('first');
});

test('credentials are read in the order asked for, null for sids that no user has', async () => {
  const request = asking(newSid());
  await verificationRequestCode(db, request);
  await submit(db, submission(request.connection_id, 'right'));
  const found = expect.objectContaining({
    user_id: expect.any(Number),
    sid: request.sid,
    credential_hash: hash('credential'),
    token_hash: hash('token of credential'),
    version: 1,
    networks: [],
  });
  expect(await readCredentials(db, [newSid(), request.sid, request.sid])).toEqual([null, found, found]);
  expect(await readCredentials(db, [])).toEqual([]);
});
