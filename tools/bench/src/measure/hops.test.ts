import { expect, test } from '@jest/globals';
import { hopFigures, hopLines } from './hops.ts';
import type { Note } from './note-log.ts';

const [load, sender, receiver, core] = [1, 2, 3, 4];

/** A message whose hops take 10, 20, 30 ... microseconds; it passes the sender's gateway on its way back, too. */
function notesOf(key: string, startsAt: number): [pid: number, note: Note][] {
  let at = startsAt;
  let took = 0;
  const way: [number, Note['point']][] = [
    [load, 'client-out'],
    [sender, 'socket-in'],
    [sender, 'request-out'],
    [core, 'entry-in'],
    [core, 'statement-out'],
    [core, 'statement-in'],
    [core, 'publish-out'],
    [receiver, 'publication-in'],
    [receiver, 'socket-out'],
    [load, 'client-in'],
  ];
  const notes = way.map(([pid, point]): [number, Note] => {
    at += took;
    took += 10;
    return [pid, { point, key, at }];
  });
  return [...notes, [sender, { point: 'publication-in', key, at: 1 }]];
}

function byProcess(all: readonly [number, Note][]): Map<number, Note[]> {
  const notes = new Map<number, Note[]>();
  for (const [pid, note] of all) notes.set(pid, [...(notes.get(pid) ?? []), note]);
  return notes;
}

test('each hop is what lies between two points, on the gateway of the receiver', () => {
  const figures = hopFigures(byProcess([...notesOf('a', 1_000), ...notesOf('b', 9_000)]));
  expect(figures).toMatchObject({ hop_socket_in: 10, hop_publication_in: 70, hop_client_in: 90 });
  expect(figures).toMatchObject({ hop_all: 450, hop_all_p99: 450, hop_messages: 2 });
  expect(hopLines(figures)).toHaveLength(11);
  expect(hopLines({ cpu_us: 1 })).toEqual([]);
});

test('a message that was not noted everywhere is left out, and none at all is an error', () => {
  const all = [...notesOf('a', 0), ...notesOf('b', 0).filter(([, { point }]) => point !== 'entry-in')];
  expect(hopFigures(byProcess(all)).hop_messages).toBe(1);
  expect(() => hopFigures(byProcess(all.slice(0, 3)))).toThrow('no message was noted at all points');
});
