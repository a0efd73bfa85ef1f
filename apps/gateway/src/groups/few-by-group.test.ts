import { expect, test } from '@jest/globals';
import { FewByGroup } from './few-by-group.ts';

const of = (id: number, name = '') => ({ feed: { id }, name });

test.each([3, 32, 33, 100])(
  'a connection in %d groups finds each of them, and those it has left no more',
  (count) => {
    const groups = new FewByGroup<ReturnType<typeof of>>();
    const all = Array.from({ length: count }, (_, at) => of(at + 1));
    for (const one of all) groups.set(one);
    expect(groups.size).toBe(count);
    expect([...groups.values()]).toEqual(all);
    expect(all.every((one) => groups.find(one.feed.id) === one)).toBe(true);
    expect(groups.find(count + 1)).toBeUndefined();

    const again = of(2, 'again');
    groups.set(again);
    expect([groups.size, groups.find(2)]).toEqual([count, again]);

    groups.delete(count + 1);
    for (const { feed } of groups.values()) if (feed.id !== 2) groups.delete(feed.id);
    expect([...groups.values()]).toEqual([again]);
    expect(groups.find(1)).toBeUndefined();
  },
);
