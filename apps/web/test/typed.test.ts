import { describe, expect, test } from '@jest/globals';
import { asCode, asName, charactersOf, showsNothing } from '../src/typed.ts';

describe('a code', () => {
  test.each([
    ['123456', '123456'],
    [' 123 456 ', '123456'],
    ['123-456', '123456'],
    ['123\u2011456\u200e', '123456'],
    ['\u202a١٢٣٤٥٦\u202c', '123456'],
    ['۱۲۳۴۵۶', '123456'],
    ['१२३४५६', '123456'],
    ['１２３　４５６', '123456'],
    ['12\u00ad34\u206056', '123456'],
    [' \u200b', ''],
    ['aB3', 'aB3'],
  ])('typed as %j is %s', (typed, code) => {
    expect(asCode(typed)).toBe(code);
  });
});

describe('a name', () => {
  test.each([
    '',
    ' ',
    '\u00a0\u3000\t',
    '\u200b\u200c\u200d\u2060\ufeff',
    '\u202e\u202c\u2066\u2069\u200e',
    '\u3164\uffa0\u115f\u1160', // Hangul fillers
    '\u2800\u2800', // Braille blank
    '\u00ad\u034f\ufe0f\u{e0020}',
    '\u0000\u001b',
  ])('that shows nothing, %j, is none', (typed) => {
    expect(showsNothing(typed)).toBe(true);
    expect(asName(typed)).toBe('');
  });

  test.each([
    ['  Sunday hikes ', 'Sunday hikes'],
    ['\u202aSunday\u00a0hikes\u202c', 'Sunday\u00a0hikes'],
    ['two\nlines', 'two lines'],
    ['❤️', '❤️'],
    ['👩‍👧', '👩‍👧'],
    ['🏴󠁧󠁢󠁥󠁮󠁧󠁿', '🏴󠁧󠁢󠁥󠁮󠁧󠁿'],
    ['می‌خواهم', 'می‌خواهم'],
    ['half \ud83d', 'half'],
    ['.', '.'],
  ])('typed as %j is %j', (typed, name) => {
    expect(asName(typed)).toBe(name);
    expect(showsNothing(typed)).toBe(false);
  });

  test('is counted as the server counts it: a hundred emoji are a hundred characters', () => {
    expect(charactersOf('😀'.repeat(100))).toBe(100);
    expect(charactersOf('é\u0301x')).toBe(3);
  });
});
