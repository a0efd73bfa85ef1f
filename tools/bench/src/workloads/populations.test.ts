import { expect, test } from '@jest/globals';
import { zipf } from './populations.ts';

test('groups of a day fall in size from a twentieth of all users to pairs, and nobody is in one twice', () => {
  for (const count of [100, 999, 10_000]) {
    const { users, groups, streams } = zipf(count);
    const sizes = groups.map(({ length }) => length);
    expect(sizes).toEqual(sizes.toSorted((one, other) => other - one));
    expect(sizes[0]).toBe(Math.max(2, (count / 20) | 0));
    expect(sizes.at(-1)).toBe(2);
    expect(groups.every((members) => new Set(members).size === members.length)).toBe(true);
    expect(groups.flat().every((member) => member >= 0 && member < users)).toBe(true);
    expect(streams).toBe(groups.length);
  }
});
