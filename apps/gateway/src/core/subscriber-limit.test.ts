import { expect, test } from '@jest/globals';
import { checkSubscriberLimit } from './subscriber-limit.ts';

const credit = 8 * 1_024 * 1_024;
const needed = 2 * credit + 16 * 1_024 * 1_024;

/** What is logged for this answer of Redis. */
async function logged(answer: () => unknown): Promise<[level: string, fields: object][]> {
  const lines: [string, object][] = [];
  const log = {
    info: (fields: object) => lines.push(['info', fields]),
    warn: (fields: object) => lines.push(['warn', fields]),
  };
  await checkSubscriberLimit({ config: async () => answer() }, credit, log);
  return lines;
}

const limits = (pubsub: string) => [
  'client-output-buffer-limit',
  `normal 0 0 0 slave 268435456 67108864 60 pubsub ${pubsub}`,
];

test('a limit of Redis that is too small for what cores may send a gateway is warned about, and no other', async () => {
  expect(await logged(() => limits(`${needed - 1} 8388608 60`))).toEqual([
    ['warn', { limitBytes: needed - 1, neededBytes: needed }],
  ]);
  expect(await logged(() => limits(`${needed} 8388608 60`))).toEqual([]);
  expect(await logged(() => limits('0 0 0'))).toEqual([]);
});

test('the default limit of Redis suffices for the default credit', async () => {
  expect(await logged(() => limits('33554432 8388608 60'))).toEqual([]);
});

test('a Redis that does not say its limit is no fault', async () => {
  const refuse = () => {
    throw new Error("ERR unknown command 'CONFIG'");
  };
  expect(await logged(refuse)).toEqual([['info', {}]]);
});
