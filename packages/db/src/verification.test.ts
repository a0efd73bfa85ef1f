import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Cores, interleave, newSid, openCores } from '../test/test-db.ts';
import type { Db } from './db.ts';
import { deleteExpiredChallenges } from './delete-expired-challenges.ts';
import { readChallenge } from './read-challenge.ts';
import { readCredentials } from './read-credentials.ts';
import { recordChallenge } from './record-challenge.ts';
import { submitChallenge } from './submit-challenge.ts';

let cores: Cores;
let db: Db;
beforeAll(async () => {
  cores = await openCores();
  db = cores.one;
});
afterAll(() => cores.close());

const hash = (text: string) => Buffer.from(text);

function asking(sid: string, connection_id: string = randomUUID(), code: string | null = 'right') {
  const code_hash = code === null ? null : hash(code);
  return { request_id: randomUUID(), connection_id, sid, code_hash, ttl_ms: 60_000 };
}

function submission(connection_id: string, code: string, credential = 'credential') {
  return {
    request_id: randomUUID(),
    connection_id,
    code_hash: hash(code),
    credential_hash: hash(credential),
    attempts_max: 3,
  };
}

async function credentialOf(sid: string): Promise<string | null | undefined> {
  const [found] = await readCredentials(db, [sid]);
  return found ? (found.credential_hash?.toString() ?? null) : undefined;
}

test('asking for a code makes nobody, and leaves the credential that the number has', async () => {
  const [stranger, known] = [newSid(), newSid()];
  const first = asking(known);
  await recordChallenge(db, first);
  await submitChallenge(db, submission(first.connection_id, 'right', 'old'));

  await recordChallenge(db, asking(stranger));
  await recordChallenge(db, asking(known));
  expect(await credentialOf(stranger)).toBeUndefined();
  expect(await credentialOf(known)).toBe('old');
});

test('a right code becomes the credential and replaces the old one; the challenge is used up', async () => {
  const sid = newSid();
  for (const credential of ['first', 'second']) {
    const request = asking(sid);
    await recordChallenge(db, request);
    expect(await submitChallenge(db, submission(request.connection_id, 'right', credential))).toBe('right');
    expect(await credentialOf(sid)).toBe(credential);
    expect(await readChallenge(db, request.connection_id)).toBeNull();
    expect(await submitChallenge(db, submission(request.connection_id, 'right'))).toBe('none');
  }
});

test('a wrong or an empty code changes nothing but the attempts, which run out', async () => {
  const request = asking(newSid());
  await recordChallenge(db, request);
  for (const code of ['wrong', '', 'right ']) {
    expect(await submitChallenge(db, submission(request.connection_id, code))).toBe('wrong');
  }
  expect(await readChallenge(db, request.connection_id)).toMatchObject({ attempts: 3, sid: request.sid });
  expect(await submitChallenge(db, submission(request.connection_id, 'right'))).toBe('too_many');
  expect(await credentialOf(request.sid)).toBeUndefined();
});

test('the latest request on a connection counts, with all its attempts; other connections have none', async () => {
  const first = asking(newSid(), randomUUID(), 'first code');
  await recordChallenge(db, first);
  await submitChallenge(db, submission(first.connection_id, 'wrong'));
  const second = asking(newSid(), first.connection_id, 'second code');
  await recordChallenge(db, second);

  expect(await readChallenge(db, first.connection_id)).toMatchObject({ sid: second.sid, attempts: 0 });
  expect(await submitChallenge(db, submission(randomUUID(), 'second code'))).toBe('none');
  expect(await submitChallenge(db, submission(first.connection_id, 'first code'))).toBe('wrong');
  expect(await submitChallenge(db, submission(first.connection_id, 'second code'))).toBe('right');
  expect(await credentialOf(first.sid)).toBeUndefined();
  expect(await credentialOf(second.sid)).toBe('credential');
});

test('an approval from outside counts for the person it was given for, and only if the code is kept there', async () => {
  const sid = newSid();
  const outside = asking(sid, randomUUID(), null);
  const approved = (connection_id: string, of: string) => ({
    ...submission(connection_id, ''),
    code_hash: null,
    sid: of,
  });
  await recordChallenge(db, outside);
  expect(await submitChallenge(db, submission(outside.connection_id, ''))).toBe('wrong');
  expect(await submitChallenge(db, approved(outside.connection_id, newSid()))).toBe('none');
  expect(await submitChallenge(db, approved(outside.connection_id, sid))).toBe('right');
  expect(await credentialOf(sid)).toBe('credential');

  const inside = asking(newSid());
  await recordChallenge(db, inside);
  expect(await submitChallenge(db, approved(inside.connection_id, inside.sid))).toBe('wrong');
});

test('an expired challenge takes no code, and goes when it is cleaned up', async () => {
  const late = { ...asking(newSid()), ttl_ms: -1 };
  const fresh = asking(newSid());
  await recordChallenge(db, late);
  await recordChallenge(db, fresh);
  expect(await submitChallenge(db, submission(late.connection_id, 'right'))).toBe('expired');
  expect(await deleteExpiredChallenges(db)).toBe(1);
  expect(await readChallenge(db, late.connection_id)).toBeNull();
  expect(await readChallenge(db, fresh.connection_id)).not.toBeNull();
});

test('the requests of nobody are kept for a day', async () => {
  const request = asking(newSid());
  await recordChallenge(db, request);
  await deleteExpiredChallenges(db);
  expect(await recordChallenge(db, request)).toEqual({ is_new: false });
  await db.pool.query(`UPDATE request SET date_created = now() - interval '25 hours' WHERE user_id = 0`);
  await deleteExpiredChallenges(db);
  expect(await db.prisma.request.count({ where: { userId: 0n } })).toBe(0);
});

test('a request for a code that runs twice is recorded once, so that one code is sent', async () => {
  const request = asking(newSid());
  expect(await recordChallenge(db, request)).toEqual({ is_new: true });
  await submitChallenge(db, submission(request.connection_id, 'wrong'));
  expect(await recordChallenge(cores.two, { ...request, code_hash: hash('another') })).toEqual({
    is_new: false,
  });
  expect(await readChallenge(db, request.connection_id)).toMatchObject({
    code_hash: hash('right'),
    attempts: 1,
  });
});

test('a submission that runs twice answers the same and counts once', async () => {
  const request = asking(newSid());
  await recordChallenge(db, request);
  const wrong = submission(request.connection_id, 'wrong');
  expect(await submitChallenge(db, wrong)).toBe('wrong');
  expect(await submitChallenge(cores.two, wrong)).toBe('wrong');
  expect(await readChallenge(db, request.connection_id)).toMatchObject({ attempts: 1 });
  const right = submission(request.connection_id, 'right');
  expect(await submitChallenge(db, right)).toBe('right');
  // What is hashed with the person's sid differs then: the challenge that named them is used up.
  const again = { ...right, code_hash: hash('of nobody'), credential_hash: hash('of nobody') };
  expect(await submitChallenge(cores.two, again)).toBe('right');
});

test("an id that another connection used too gives nobody another's answer", async () => {
  const [mine, theirs] = [asking(newSid()), asking(newSid())];
  expect(await recordChallenge(db, mine)).toEqual({ is_new: true });
  expect(await recordChallenge(db, { ...theirs, request_id: mine.request_id })).toEqual({ is_new: true });
  const right = submission(mine.connection_id, 'right');
  expect(await submitChallenge(db, right)).toBe('right');
  expect(
    await submitChallenge(db, { ...right, connection_id: theirs.connection_id, code_hash: hash('?') }),
  ).toBe('wrong');
  expect(await submitChallenge(db, { ...right, connection_id: randomUUID() })).toBe('none');
});

test('two codes submitted on a connection at once are judged one after the other', async () => {
  const request = asking(newSid());
  await recordChallenge(db, request);
  const verdict = await interleave(
    cores,
    (session) =>
      session.query('SELECT submit_challenge($1, $2, NULL, $3, $4, 3)', [
        randomUUID(),
        request.connection_id,
        hash('right'),
        hash('first'),
      ]),
    (two) => submitChallenge(two, submission(request.connection_id, 'right', 'second')),
  );
  expect(verdict).toBe('none');
  expect(await credentialOf(request.sid)).toBe('first');
});

test('credentials are read in the order asked for, null for sids that nobody has', async () => {
  const request = asking(newSid());
  await recordChallenge(db, request);
  await submitChallenge(db, submission(request.connection_id, 'right'));
  const found = { user_id: expect.any(Number), sid: request.sid, credential_hash: hash('credential') };
  expect(await readCredentials(db, [newSid(), request.sid, request.sid])).toEqual([null, found, found]);
  expect(await readCredentials(db, [])).toEqual([]);
});
