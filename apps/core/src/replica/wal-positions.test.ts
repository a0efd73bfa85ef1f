import { expect, test } from '@jest/globals';
import { WalPositions } from './wal-positions.ts';

test('a replica is as old as the newest position that it has reached', () => {
  const positions = new WalPositions();
  expect([positions.reached, positions.lagMs(50)]).toEqual([undefined, 0]);
  positions.note(100, 1_000);
  positions.reach(999);
  expect([positions.reached, positions.lagMs(150)]).toEqual([undefined, 50]);
  for (const at of [200, 300, 400]) positions.note(at, 10 * at);
  positions.reach(3_500);
  expect([positions.reached, positions.lagMs(450)]).toEqual([{ at: 300, wal: 3_000 }, 150]);
  positions.reach(3_999);
  expect(positions.lagMs(450)).toBe(150);
  positions.reach(4_000);
  expect([positions.reached, positions.lagMs(450)]).toEqual([{ at: 400, wal: 4_000 }, 0]);
  // An idle primary: whoever has all of it has it as of now.
  positions.note(500, 4_000);
  positions.reach(4_000);
  expect(positions.reached).toEqual({ at: 500, wal: 4_000 });
  positions.forget();
  expect([positions.reached, positions.lagMs(600)]).toEqual([undefined, 0]);
});

test('a replica that stays behind for hours costs no more memory, and its lag is still known', () => {
  const positions = new WalPositions();
  for (let at = 0; at < 10_000; at += 1) {
    positions.note(at, at);
    positions.reach(0);
  }
  expect(positions.lagMs(10_000)).toBe(10_000);
  expect(positions.size).toBeLessThan(1_000);
  positions.reach(9_999);
  expect(positions.lagMs(10_000)).toBe(0);
});
