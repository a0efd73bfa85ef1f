import { expect, test } from '@jest/globals';
import { createCredentialHash, equalHashes } from './credential.ts';

const hash = createCredentialHash('a key that the database does not know');

test('the right code of the right person equals, anything else does not', () => {
  const stored = hash('1.5550100', '123456');
  expect(stored).toHaveLength(32);
  expect(equalHashes(stored, hash('1.5550100', '123456'))).toBe(true);
  expect(equalHashes(new Uint8Array(stored), hash('1.5550100', '123456'))).toBe(true);
  expect(equalHashes(stored, hash('1.5550100', '123457'))).toBe(false);
  expect(equalHashes(stored, hash('1.5550101', '123456'))).toBe(false);
  expect(equalHashes(stored, createCredentialHash('another key')('1.5550100', '123456'))).toBe(false);
});

test('sid and code do not run into each other', () => {
  expect(equalHashes(hash('1.5550100', '123456'), hash('1.55501001', '23456'))).toBe(false);
});

test('the empty code never equals anything, not even itself', () => {
  const empty = hash('1.5550100', '');
  expect(equalHashes(empty, empty)).toBe(false);
  expect(equalHashes(hash('1.5550100', '123456'), empty)).toBe(false);
  expect(equalHashes(empty, hash('1.5550100', '123456'))).toBe(false);
});

test('a person without a credential is equalled by nothing', () => {
  expect(equalHashes(null, hash('1.5550100', '123456'))).toBe(false);
  expect(equalHashes(null, null)).toBe(false);
});
