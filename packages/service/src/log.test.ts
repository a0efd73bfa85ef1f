import { describe, expect, jest, test } from '@jest/globals';
import { createLog, type Log } from './log.ts';
import { maskSid } from './mask.ts';

const sid = '1.5550100';
const number = '5550100';

function lineOf(write: (log: Log) => void): { text: string; line: Record<string, unknown> } {
  const lines: string[] = [];
  write(createLog({ name: 'core', level: 'trace', destination: { write: (text) => void lines.push(text) } }));
  expect(lines).toHaveLength(1);
  const text = lines.join('');
  return { text, line: JSON.parse(text) };
}

test.each([
  ['1.5550100', '1.•••••00'],
  ['381.123456789', '381.•••••••89'],
  ['5550100', '[hidden]'],
  ['', '[hidden]'],
  ['1.555-0100', '[hidden]'],
])('the mask of %j is %j', (sid, mask) => {
  expect(maskSid(sid)).toBe(mask);
});

describe('no careless call leaks a number, a code or a text', () => {
  const postgres = Object.assign(new Error('duplicate key'), {
    code: '23505',
    constraint: 'user_pkey',
    detail: `Key (country_code, phone_number)=(1, ${number}) already exists.`,
  });
  const redis = Object.assign(new Error('READONLY'), { command: { name: 'set', args: [number] } });
  const calls: [string, (log: Log) => void][] = [
    ['a sid', (log) => log.info({ sid }, 'x')],
    ['a number that is a number', (log) => log.info({ phone_number: 5550100 }, 'x')],
    ['the other spelling', (log) => log.info({ senderSid: sid, phoneNumber: number }, 'x')],
    ['lists', (log) => log.info({ sids: [sid], member_sids: new Set([sid]) }, 'x')],
    ['depth', (log) => log.info({ a: [{ payload: { phone_number: number, content: number } }] }, 'x')],
    ['a map by sid', (log) => log.info({ byUser: new Map([[sid, { verification_code: number }]]) }, 'x')],
    ['an unexpected key', (log) => log.info({ who: sid, to: `+1${number}` }, 'x')],
    ['a message', (log) => log.warn(`no such user: ${sid}, asked for +1${number}`)],
    ['an argument of a message', (log) => log.info('for %s and %j', sid, { sid })],
    [
      'bare digits, as providers write them',
      (log) => log.info(`To=17775${number}, 491775${number}: refused`),
    ],
    ['a percent-encoded number', (log) => log.info(`GET /lookup/%2B1777${number}?x and %2b49${number}`)],
    ['an error', (log) => log.error(new Error(`failed for ${sid}`))],
    ['an error as a field', (log) => log.error({ err: new Error('x', { cause: new Error(sid) }) }, 'x')],
    ['the row in a Postgres error', (log) => log.error({ err: postgres }, 'x')],
    ['the arguments in a Redis error', (log) => log.error({ err: redis })],
    ['toJSON', (log) => log.info({ frame: { toJSON: () => ({ content: number }) } }, 'x')],
  ];

  test.each(calls)('%s', (_what, call) => {
    const { text } = lineOf(call);
    expect(text).not.toContain(number);
    expect(text).not.toContain(number.slice(2));
  });
});

test('what is read in a log stays: times, ids of entries and of requests, sizes', () => {
  const kept = `1764110000000-0 at 1764110000000, ${'0190aaaa-bbbb-7ccc-8ddd-123456789012'}, 134217728 bytes`;
  expect(lineOf((log) => log.info(kept)).line.msg).toBe(kept);
});

test('a line says who, when, how bad and what', () => {
  const { line } = lineOf((log) => log.warn({ count: 2, ratio: 0.12345, sid }, 'hm'));
  expect(line).toMatchObject({
    name: 'core',
    level: 'warn',
    msg: 'hm',
    count: 2,
    ratio: 0.12345,
    sid: '1.•••••00',
  });
  expect(line.time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
});

test('an error keeps what helps: type, message, stack, code, constraint', () => {
  const error = Object.assign(new TypeError('duplicate'), {
    code: '23505',
    constraint: 'user_pkey',
    detail: 'row',
  });
  const { line } = lineOf((log) => log.error({ err: error }));
  expect(line.msg).toBe('duplicate');
  expect(line.err).toMatchObject({
    type: 'TypeError',
    message: 'duplicate',
    code: '23505',
    constraint: 'user_pkey',
  });
  expect(line.err).not.toHaveProperty('detail');
  expect((line.err as { stack: string }).stack).toContain('log.test.ts');
});

test('what refers to itself can be logged', () => {
  const loop: Record<string, unknown> = {};
  loop.loop = loop;
  expect(lineOf((log) => log.info({ loop }, 'x')).text).toContain('[deep]');
});

test('a warning that comes again and again is a line at once, and a count after a second, after two more, up to once a minute', () => {
  jest.useFakeTimers();
  try {
    const texts: string[] = [];
    const log = createLog({ name: 'core', destination: { write: (text) => void texts.push(text) } });
    const lines = () => texts.map((text) => JSON.parse(text));
    for (let times = 0; times < 1_000; times += 1) log.warn({ queue: 'sweep', times }, 'queue');
    log.warn({ queue: 'audit' }, 'queue');
    log.info('queue');
    log.info('queue');
    expect(lines()).toHaveLength(4);
    jest.advanceTimersByTime(1_000);
    expect(lines().slice(4)).toEqual([
      expect.objectContaining({ level: 'warn', msg: 'queue', queue: 'sweep', times: 999, repeated: 999 }),
    ]);
    for (let second = 0; second < 600; second += 1) {
      log.warn({ queue: 'sweep' }, 'queue');
      jest.advanceTimersByTime(1_000);
    }
    const counts = lines().slice(5);
    expect(counts.map(({ repeated }) => repeated)).toEqual([2, 4, 8, 16, 32, ...Array(8).fill(60)]);
  } finally {
    jest.useRealTimers();
  }
});

test('pretty lines are for people: time, level, text, fields; an error with its stack; all of it masked', () => {
  const texts: string[] = [];
  const log = createLog({
    name: 'core',
    format: 'pretty',
    destination: { write: (text) => void texts.push(text) },
  });
  log.info({ queue: 'sweep', reason: 'it was late', sid }, 'began again');
  log.error({ err: new TypeError(`no ${sid}`) }, 'broken');
  const [first = '', second = ''] = texts;
  expect(first).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} INFO {2}began again queue=sweep reason="it was late" sid="1\.•+00"\n$/,
  );
  expect(second).toMatch(/ERROR broken\n {4}TypeError: no .*\n {8}at /);
  expect(second).not.toContain(number);
});
