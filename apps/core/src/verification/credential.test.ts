import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import {
  type Credentials,
  createCredentials,
  credentialKeys,
  equalHashes,
  matchesAny,
} from './credential.ts';

const key = 'a key that the database does not know';
const newerKey = 'a newer key that it does not know either';
const credentials = createCredentials([key]);
const rotated = createCredentials([newerKey, key]);
const hash = credentials.hash;
const matches = (of: Credentials, stored: Uint8Array | null, sid: string, code: string) =>
  matchesAny(stored, of.hashes(sid, code));

test('the right code of the right user equals, anything else does not', () => {
  const stored = hash('1.5550100', '123456');
  expect(stored).toHaveLength(32);
  expect(matches(credentials, stored, '1.5550100', '123456')).toBe(true);
  expect(matches(credentials, new Uint8Array(stored), '1.5550100', '123456')).toBe(true);
  expect(matches(credentials, stored, '1.5550100', '123457')).toBe(false);
  expect(matches(credentials, stored, '1.5550101', '123456')).toBe(false);
  expect(matches(createCredentials(['another key']), stored, '1.5550100', '123456')).toBe(false);
});

test('sid and code do not run into each other', () => {
  expect(equalHashes(hash('1.5550100', '123456'), hash('1.55501001', '23456'))).toBe(false);
});

test('the empty code never equals anything, not even itself', () => {
  const empty = hash('1.5550100', '');
  expect(matches(credentials, empty, '1.5550100', '')).toBe(false);
  expect(matches(credentials, hash('1.5550100', '123456'), '1.5550100', '')).toBe(false);
});

test('a user without a credential is equalled by nothing', () => {
  expect(matches(credentials, null, '1.5550100', '123456')).toBe(false);
  expect(equalHashes(null, null)).toBe(false);
});

describe('a key that is replaced', () => {
  test('keeps what it made good as long as it is listed, and makes nothing new', () => {
    const stored = hash('1.5550100', '123456');
    expect(matches(rotated, stored, '1.5550100', '123456')).toBe(true);
    expect(rotated.hash('1.5550100', '123456')).not.toEqual(stored);
    expect(matches(createCredentials([newerKey]), stored, '1.5550100', '123456')).toBe(false);
  });

  test('is written before or behind the others with commas', () => {
    expect(credentialKeys(`${newerKey}, ${key}`)).toEqual([newerKey, key]);
    expect(credentialKeys(key)).toEqual([key]);
  });
});

describe('a token', () => {
  const submission = { request_id: randomUUID(), connection_id: randomUUID() };

  test('fits into verification_code, and no two submissions have the same', () => {
    const tokens = Array.from(
      { length: 1_000 },
      () => credentials.tokenOf({ ...submission, connection_id: randomUUID() }).token,
    );
    expect(new Set(tokens).size).toBe(1_000);
    for (const token of tokens) expect(token).toMatch(/^[\w-]{36}$/);
  });

  test('is the same for a second run, also after the keys were rotated in between', () => {
    const { token, key: name } = credentials.tokenOf(submission);
    expect(
      credentials.tokenOf({ ...submission, request_id: submission.request_id.toUpperCase() }).token,
    ).toBe(token);
    expect(rotated.tokenOf(submission, name)).toEqual({ token, key: name });
    expect(rotated.tokenOf(submission).token).not.toBe(token);
    expect(JSON.stringify(name)).not.toContain(key);
  });

  test('is told from a guess at one without the database', () => {
    const { token } = credentials.tokenOf(submission);
    expect(credentials.isToken(token)).toBe(true);
    expect(rotated.isToken(token)).toBe(true);
    expect(createCredentials([newerKey]).isToken(token)).toBe(false);
    const guesses = Array.from(
      { length: 36 },
      (_, at) => token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1),
    );
    for (const guess of [...guesses, '', '000000', token.slice(1), `${token}A`, '\u{1F600}'.repeat(18)]) {
      expect(credentials.isToken(guess)).toBe(false);
    }
  });
});

test('a pseudonym is the same however many others were asked for, and of each text another one', () => {
  const first = credentials.pseudonym('limit', '198.51.100.1');
  const others = Array.from({ length: 10_000 }, (_, n) => credentials.pseudonym('limit', `10.0.0.${n}`));
  expect(new Set([first, ...others]).size).toBe(others.length + 1);
  expect(credentials.pseudonym('limit', '198.51.100.1')).toBe(first);
  expect(createCredentials([key]).pseudonym('limit', '10.0.0.9999')).toBe(others.at(-1));
  expect(rotated.pseudonym('limit', '198.51.100.1')).not.toBe(first);
});
