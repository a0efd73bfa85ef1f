import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { allOrNothing } from './all-or-nothing.ts';
import { Closing } from './closing.ts';
import { layOut } from './layout.ts';

const never = new AbortController().signal;

test('what was started last is stopped first, and one after the other', async () => {
  const closed: string[] = [];
  const closing = new Closing();
  for (const name of ['stores', 'cores', 'gateways']) {
    const add = closing.stage();
    add(async () => {
      await turn();
      closed.push(name);
    });
  }
  await closing.closeAll();
  expect(closed).toEqual(['gateways', 'cores', 'stores']);
});

test('when one of several starts fails, the others are aborted and waited for', async () => {
  let isOtherSettled = false;
  const started = allOrNothing(
    never,
    async () => {
      throw new Error('no');
    },
    (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          isOtherSettled = true;
          reject(new Error('asked to stop'));
        });
      }),
  );
  await expect(started).rejects.toThrow('no');
  expect(isOtherSettled).toBe(true);
});

test('several starts give their results in the order in which they stand', async () => {
  const results = await allOrNothing(
    never,
    async () => {
      await turn();
      return 'slow';
    },
    async () => 'fast',
  );
  expect(results).toEqual(['slow', 'fast']);
});

test.each([9, 10, 99])('no two listeners of a stack of %i gateways share a port', (count) => {
  const { sharedPort, gateways, cores, webPort, postgresPort, redisPorts } = layOut({
    redises: 'cluster',
    gateways: count,
    cores: 99,
    port: 8080,
  });
  const ports = [
    ...[sharedPort, webPort, postgresPort, ...redisPorts],
    ...gateways.flatMap(({ ownPort, adminPort }) => [ownPort, adminPort]),
    ...cores.map(({ adminPort }) => adminPort),
  ];
  expect(new Set(ports).size).toBe(ports.length);
});
