import { expect, test } from '@jest/globals';
import { LoopWatch } from './loop-watch.ts';
import { OthersThere } from './others-there.ts';

const others = { at: () => true };

const block = (ms: number) => {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
};

const nextLook = (loop: LoopWatch) =>
  new Promise<number>((resolve) => {
    const look = (_: number, lateMs: number) => {
      loop.end(look);
      resolve(lateMs);
    };
    loop.begin(look);
  });

test('a turn of the event loop that takes long is told as late, to all who look and to nobody else', async () => {
  const loop = new LoopWatch(others);
  const gone: number[] = [];
  const look = (_: number, lateMs: number) => void gone.push(lateMs);
  loop.begin(look);
  loop.end(look);
  const looks = [nextLook(loop), nextLook(loop)];
  block(100);
  for (const lateMs of await Promise.all(looks)) expect(lateMs).toBeGreaterThan(80);
  // Behind a rest in which nobody looked.
  const other = new LoopWatch(others);
  for (let look = 0; look < 3; look += 1) await nextLook(other);
  const again = nextLook(loop);
  block(100);
  expect(await again).toBeGreaterThan(80);
  expect(gone).toEqual([]);
});

test('while nobody is there who would notice it, a turn that takes long is not told as late', async () => {
  let done = 0;
  const loop = new LoopWatch(new OthersThere(() => done));
  const quiet = nextLook(loop);
  block(100);
  expect(await quiet).toBe(0);
  done += 1;
  const noticed = nextLook(loop);
  block(100);
  expect(await noticed).toBeGreaterThan(80);
});
