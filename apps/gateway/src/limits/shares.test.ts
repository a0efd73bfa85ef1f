import { expect, test } from '@jest/globals';
import { Shares } from './shares.ts';

const rates = { frames: { points: 2, seconds: 3_600 }, bytes: { points: 100, seconds: 1 } };

test('what an address has used is remembered after its last connection, and forgotten when it is whole again', () => {
  const shares = new Shares<string>(rates);
  const used = shares.enter('a');
  used.traffic.take(1);
  shares.leave(used);
  const unused = shares.enter('b');
  shares.leave(unused);
  shares.clean();
  expect(shares.find('a')).toBe(used);
  expect(shares.find('b')).toBeUndefined();
  expect(shares.enter('a')).toBe(used);
});

test('a share in use stays, however full it is', () => {
  const shares = new Shares<string>(rates);
  const share = shares.enter('a');
  shares.clean();
  expect(shares.find('a')).toBe(share);
  shares.leave(share);
  shares.clean();
  expect(shares.size).toBe(0);
});
