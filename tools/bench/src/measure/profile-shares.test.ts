import { expect, test } from '@jest/globals';
import { type CpuProfile, costsOf } from './profile-shares.ts';

const frame = (functionName: string, url = '') => ({ functionName, url, lineNumber: 6 });

/** `handle` of the gateway calls a library, which writes by way of Node; beside them V8 itself, and a pause. */
const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 5, 6, 7] },
    { id: 2, callFrame: frame('handle', 'file:///a/apps/gateway/dist/core/client.js'), children: [3] },
    {
      id: 3,
      callFrame: frame('exec', 'file:///a/node_modules/.pnpm/x@1/node_modules/@x/redis/y.js'),
      children: [4],
    },
    { id: 4, callFrame: frame('writev') },
    { id: 5, callFrame: frame('(garbage collector)') },
    { id: 6, callFrame: frame('(idle)') },
    { id: 7, callFrame: frame('start', 'file:///a/tools/bench/dist/measure/profiler.js') },
  ],
  samples: [7, 2, 3, 4, 5, 6, 4],
  timeDeltas: [5_000, 10, 20, 40, 80, 1_000, 50],
};

test('a share is of the time that was not idle, and what Node does belongs to who called it', () => {
  const { busyUs, owners, functions } = costsOf([profile, profile]);
  expect(busyUs).toBe(400);
  expect(Object.fromEntries(owners)).toEqual({
    'apps/gateway/core': { own: 20, below: 0 },
    '@x/redis': { own: 40, below: 180 },
    '(garbage collector)': { own: 160, below: 0 },
  });
  expect(functions.get('writev for @x/redis')).toBe(180);
  expect(functions.get('handle core/client.js:7')).toBe(20);
});
