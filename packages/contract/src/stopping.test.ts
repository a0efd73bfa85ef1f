import { expect, test } from '@jest/globals';
import { readNodeCall } from './node-calls.ts';
import { encodeStopping, readStopping } from './stopping.ts';

test('a node that stops is named, and a release that does not know the type ignores it', () => {
  const bytes = Buffer.from(encodeStopping('0b7a-11'));
  expect(readStopping(bytes)).toBe('0b7a-11');
  expect(readNodeCall(bytes)).toBeUndefined();
});

test.each(['{"type":"STOPPING"', '{"type":"STOPPING"}', '{"type":"STOPPING","params":{"node":7}}', 'null'])(
  '%s names no node',
  (text) => {
    expect(readStopping(Buffer.from(text))).toBeUndefined();
  },
);

test('what cannot be the name of a node becomes no label', () => {
  for (const name of ['', 'a"b', 'x'.repeat(65)]) {
    expect(readStopping(Buffer.from(encodeStopping(name)))).toBeUndefined();
  }
});
