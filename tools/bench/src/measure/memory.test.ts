import { expect, test } from '@jest/globals';
import { MemoryWatch, memoryLines, Rest } from './memory.ts';

test('memory is told by role, before, at most and after, and Postgres is left out', () => {
  const own = { gateway: [process.pid], postgres: [process.pid] };
  const watch = new MemoryWatch(() => own, new AbortController().signal);
  watch.stop();
  const figures = watch.figures();
  expect(Object.keys(figures)).toEqual(['gateway_before_mb', 'gateway_peak_mb', 'gateway_after_mb']);
  expect(figures.gateway_before_mb).toBeGreaterThan(10);
  expect(figures.gateway_peak_mb).toBeGreaterThanOrEqual(figures.gateway_after_mb as number);
  const others = { p50_ms: 3, quiet_mb: 500, after_mb: 510 };
  expect(memoryLines({ ...others, core_before_mb: 99.6, core_peak_mb: 1_200, core_after_mb: 101.2 })).toEqual(
    ['core 100 MB before, at most 1,200, 101 after'],
  );
});

test('what is read is at rest when it has stayed within a hundredth for long enough', () => {
  const rest = new Rest(60_000);
  const notes = [
    [250, 0, false],
    [252, 59_000, false],
    [247, 59_999, false],
    [200, 60_000, false],
    [201, 90_000, false],
    [199, 119_999, false],
    [201, 120_000, true],
    [203, 121_000, false],
    [203, 181_000, true],
  ] as const;
  for (const [value, atMs, isAtRest] of notes) {
    expect({ value, atMs, isAtRest: rest.note(value, atMs) }).toEqual({ value, atMs, isAtRest });
  }
});
