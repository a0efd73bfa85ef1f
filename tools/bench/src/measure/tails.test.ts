import { expect, test } from '@jest/globals';
import type { Note } from './note-log.ts';
import { tailLines } from './tails.ts';

const [load, sender, receiver, core] = [1, 2, 3, 4];
const roleOf = (pid: number) => (pid === core ? 'core' : 'another');

/** A message each 10 ms whose hops take 10 µs each, but for what its statement takes. */
function notesOf(messages: number, statementUs: (index: number) => number): Map<number, Note[]> {
  const notes = new Map<number, Note[]>([load, sender, receiver, core].map((pid) => [pid, []]));
  for (let index = 0; index < messages; index += 1) {
    let at = index * 10_000;
    const pass = (pid: number, point: Note['point'], us = 10) => {
      at += us;
      notes.get(pid)?.push({ point, key: String(index), at });
    };
    pass(load, 'client-out');
    pass(sender, 'socket-in');
    pass(sender, 'request-out');
    pass(core, 'entry-in');
    pass(core, 'statement-out');
    pass(core, 'statement-in', statementUs(index));
    pass(core, 'publish-out');
    pass(receiver, 'publication-in');
    pass(receiver, 'socket-out');
    pass(load, 'client-in');
  }
  return notes;
}

test('the slowest messages name the hop in which they lost most, and the collections during which they were on their way', () => {
  const notes = notesOf(200, (index) => (index === 7 || index === 8 ? 5_000 : 10));
  notes.get(core)?.push(
    { point: 'collection', key: '3000', at: 74_000 },
    // Between two messages.
    { point: 'collection', key: '2000', at: 68_000 },
    // Too short.
    { point: 'collection', key: '100', at: 84_000 },
  );
  expect(tailLines(notes, roleOf)).toEqual([
    'the slowest 2 of 200 messages took 5.1 ms or more, in 1 tenths of a second',
    '  2 lost most in Postgres: statement and commit',
    '  0 during one of 0 collections of 1 ms or more in another; of all 0',
    '  1 during one of 2 collections of 1 ms or more in core; of all 1',
  ]);
});
