import { expect, test } from '@jest/globals';
import { yearLines } from './year.ts';

const once = (median: number) => ({ median, lowest: median, highest: median });

test('what costs more than 1.2 times as much on a full database is marked, in time or in blocks', () => {
  const figures = {
    year_rows: once(5_000_000),
    year_groups: once(10_000),
    year_send_ms: once(2.4),
    year_send_empty_ms: once(2),
    year_send_blocks: once(25),
    year_send_empty_blocks: once(20),
    year_send_read: once(1),
    year_cursor_ms: once(1.1),
    year_cursor_empty_ms: once(1),
    year_cursor_blocks: once(9),
    year_cursor_empty_blocks: once(9),
    year_cursor_read: once(0),
  };
  const lines = yearLines({ figures });
  const line = (about: string) => lines.find((one) => one.startsWith(about));
  expect(lines[0]).toMatch(/^5,000,000 messages in 10,000 groups/);
  expect(line('a message is stored')).toMatch(
    / 2\.40 +2\.00 +1\.20 +25 +20 +1\.25 +1 {2}MORE than 1\.2 times$/,
  );
  expect(line('a cursor goes on')).toMatch(/ 1\.10 +1\.00 +1\.10 +9 +9 +1\.00 +0$/);
  expect(yearLines({ figures: {} })).toEqual([]);
});
