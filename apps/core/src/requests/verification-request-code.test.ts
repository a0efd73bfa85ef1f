import type { Db } from '@hooligram/db';
import { expect, test } from '@jest/globals';
import type { Context } from '../context.ts';
import { verificationRequestCodeHandler } from './verification-request-code.ts';

test('of codes that are requested at once, some are looked at in each round of the event loop', async () => {
  const roundOf: number[] = [];
  let round = 0;
  let isOver = false;
  const count = () => {
    round += 1;
    if (!isOver) setImmediate(count);
  };
  const context = {
    // Nothing ran before.
    db: {
      pool: { query: async () => ({ rows: [] }) },
      keepsStatements: true,
      onStatement() {},
    } as unknown as Db,
    numbers: {
      faultsOfUnknown: async () => new Map(),
      takesTexts() {
        roundOf.push(round);
        return false;
      },
    },
  } as unknown as Context;
  setImmediate(count);
  const asked = Array.from({ length: 50 }, (_, n) =>
    verificationRequestCodeHandler.handle(context, [
      {
        request_id: `00000000-0000-4000-8000-0000000000${10 + n}`,
        params: {
          connection_id: `c${n}`,
          address: '198.51.100.1',
          country_code: '1',
          phone_number: `55501${n}`,
        },
      },
    ]),
  );
  const outcomes = await Promise.all(asked);
  isOver = true;
  expect(outcomes.flat()).toEqual(outcomes.map(() => ({ ok: false, errors: ['code could not be sent'] })));
  expect(
    Math.max(...roundOf.map((one) => roundOf.filter((other) => other === one).length)),
  ).toBeLessThanOrEqual(16);
});
