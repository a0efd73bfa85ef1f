import { expect, test } from '@jest/globals';
import { assertUuid, uuid } from './uuid.ts';

test('ids are different UUIDs', () => {
  const ids = Array.from({ length: 1_000 }, uuid);
  expect(new Set(ids).size).toBe(1_000);
  for (const id of ids) assertUuid(id);
  expect(() => assertUuid('1')).toThrow('not a UUID: 1');
});

test('ids are UUIDs of version 4 where a browser hides randomUUID', () => {
  Object.defineProperty(globalThis.crypto, 'randomUUID', { value: undefined, configurable: true });
  const ids = Array.from({ length: 100 }, uuid);
  Reflect.deleteProperty(globalThis.crypto, 'randomUUID');
  expect(globalThis.crypto.randomUUID).toBeDefined();
  expect(new Set(ids).size).toBe(100);
  for (const id of ids) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
});
