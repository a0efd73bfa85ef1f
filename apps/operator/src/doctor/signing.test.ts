import type { NodeReply } from '@hooligram/contract';
import { expect, test } from '@jest/globals';
import { compareKeys } from './signing.ts';

function found(...lists: (readonly string[] | undefined)[]) {
  const statuses = lists.map((signing_keys, n) => ({
    node: `node-${n}`,
    role: 'gateway',
    body: { signing_keys },
  })) as unknown as NodeReply<'STATUS'>[];
  return compareKeys(statuses).map(({ verdict, text }) => [verdict, text]);
}

test('nodes with the same keys are well, those without any are nothing to tell, and the release before says nothing', () => {
  expect(found(['a', 'b'], ['a', 'b'])).toEqual([['ok', 'all nodes that answer have the same keys: a,b']]);
  expect(found([], [])).toEqual([]);
  expect(found(undefined, undefined)).toEqual([]);
});

test('a rotation in the middle of a step is a warning', () => {
  expect(found(['a', 'b'], ['b', 'a'], undefined)).toEqual([
    ['warning', expect.stringContaining('a,b; b,a')],
  ]);
});

test.each([
  ['a key that another node does not have', ['a'], ['b', 'a']],
  ['a node without keys, though the others sign', [], ['unsigned', 'a'], ['a']],
  ['a node that is left without a signature', ['unsigned', 'a'], ['a']],
])('%s is a fault', (_, ...lists) => {
  expect(found(...(lists as string[][]))).toEqual([['fault', expect.stringContaining('refuses what')]]);
});
