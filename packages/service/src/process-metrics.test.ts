import { closeSync, openSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { createMetrics } from './metrics.ts';

async function values(): Promise<(name: string) => number> {
  const text = await createMetrics({ role: 'test' }).text();
  return (name) => Number(new RegExp(`^${name}\\{role="test"\\} (.*)$`, 'm').exec(text)?.[1]);
}

/** What others in this process open or close meanwhile. */
const others = 50;

test('open files are counted as they are opened and closed', async () => {
  const name = 'process_open_fds';
  const before = (await values())(name);
  const files = Array.from({ length: 200 }, () => openSync('/dev/null', 'r'));
  const open = (await values())(name);
  for (const file of files) closeSync(file);
  const after = (await values())(name);
  expect(before).toBeGreaterThan(0);
  expect(open - before).toBeGreaterThan(files.length - others);
  expect(open - before).toBeLessThan(files.length + others);
  expect(Math.abs(after - before)).toBeLessThan(others);
});

test('memory is what the system says of this process', async () => {
  const value = await values();
  const rss = process.memoryUsage.rss();
  expect(value('process_resident_memory_bytes')).toBeGreaterThan(rss / 2);
  expect(value('process_resident_memory_bytes')).toBeLessThan(rss * 2);
  expect(value('process_virtual_memory_bytes')).toBeGreaterThan(value('process_resident_memory_bytes'));
  expect(value('process_heap_bytes')).toBeGreaterThan(0);
  expect(value('process_heap_bytes')).toBeLessThan(value('process_virtual_memory_bytes'));
});
