import { expect, test } from '@jest/globals';
import { messagesIn, NoteLog } from './note-log.ts';

const content = (number: string, group: number) => `${number} ${group} the quick brown fox`;

test('the messages in a text or in bytes are found, with their numbers', () => {
  const text = `{"content":"${content('00000012', 5_003)}"},{"content":"${content('12345678', 9)}"} the end`;
  const keys = [
    [12, 5_003],
    [12_345_678, 9],
  ];
  expect(messagesIn(text)).toEqual(keys);
  expect(messagesIn(Buffer.from(`ü${text}`))).toEqual(keys);
  expect(messagesIn('nothing of a message')).toEqual([]);
});

test('notes come as they were made, however many, and once', () => {
  const log = new NoteLog();
  const count = 70_000;
  for (let number = 0; number < count; number += 1) log.message('entry-in', [number, 7], number + 0.5);
  log.collection(1_234, 99);
  const notes = log.take();
  expect(notes).toHaveLength(count + 1);
  expect(notes[69_999]).toEqual({ point: 'entry-in', key: '00069999 7', at: 69_999.5 });
  expect(notes.at(-1)).toEqual({ point: 'collection', key: '1234', at: 99 });
  expect(log.take()).toEqual([]);
});
