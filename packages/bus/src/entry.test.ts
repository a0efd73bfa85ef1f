import { otherTable } from '@hooligram/contract';
import { expect, test } from '@jest/globals';
import { decodeEntry, type Entry, isUnreadable, type Unreadable } from './entry.ts';
import { entryVersion } from './request-writer.ts';

const id = '1700000000000-0';
const { required } = otherTable.entry;
const whole = { v: entryVersion, ...required, deadline: '1700000001000' };

function decode(fields: Readonly<Record<string, string>>): Entry<unknown> | Unreadable {
  return decodeEntry(id, Object.entries(fields).flat(), { stream: 'requests' });
}

test('an entry is read with fields that a newer release has added, and without those that not every release writes', () => {
  const entry = { id, node: 'n', deadline: 1_700_000_001_000, requests: [] };
  expect(decode(whole)).toEqual(entry);
  expect(decode({ ...whole, signature: 's', further: 'field' })).toEqual(entry);
});

test.each(Object.keys(required))('an entry without its %s is rubbish', (field) => {
  const rest = Object.fromEntries(Object.entries(whole).filter(([name]) => name !== field));
  expect(decode(rest)).toMatchObject({ is: 'rubbish' });
});

test('an entry of another layout is left to others until its deadline, whatever it holds', () => {
  const foreign = decode({ v: '2', node: 'n', deadline: whole.deadline, batch: 'something new' });
  expect(isUnreadable(foreign) && [foreign.is, foreign.deadline]).toEqual(['foreign', 1_700_000_001_000]);
});
