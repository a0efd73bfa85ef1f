import { expect, test } from '@jest/globals';
import { bytesInJson } from './bytes-in-json.ts';

test('the bytes of a frame in an answer are known without encoding it', () => {
  for (const content of [
    '',
    'plain',
    '"quoted" \\ \n\t',
    '\u0001'.repeat(100),
    'добрый вечер 👋 \u2028\u007f',
  ]) {
    const frame = JSON.stringify({ payload: { content } });
    expect(bytesInJson(frame)).toBe(Buffer.byteLength(JSON.stringify(frame)));
  }
});
