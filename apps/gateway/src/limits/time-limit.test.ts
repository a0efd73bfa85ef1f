import { expect, test } from '@jest/globals';
import { TimeLimit } from './time-limit.ts';

test('a connection whose time is over gets it again if something came meanwhile, and is over if not', () => {
  let nowMs = 0;
  const over: string[] = [];
  const heard = new Set<string>();
  const limit = new TimeLimit<string>(
    {
      withinMs: 10,
      isRenewed: (connection) => heard.delete(connection),
      onOver: (connection) => over.push(connection),
    },
    () => nowMs,
  );
  const overAt = (ms: number) => {
    nowMs = ms;
    limit.look();
    return over.splice(0);
  };
  for (const connection of ['quiet', 'talks', 'leaves']) limit.begin(connection);
  heard.add('talks');
  limit.end('leaves');
  expect(overAt(9)).toEqual([]);
  expect(overAt(10)).toEqual(['quiet']);
  // It talked a moment after its time had begun again.
  heard.add('talks');
  expect([overAt(19), overAt(20), overAt(29), overAt(30)]).toEqual([[], [], [], ['talks']]);
});
