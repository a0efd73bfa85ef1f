import { spawn } from 'node:child_process';
import { errorTexts, tryAgainIn } from '@hooligram/protocol';
import { expect, test } from '@jest/globals';
import { type Progress, progressText, type Target } from '../src/siege/attack.ts';
import { guessing } from '../src/siege/guess-attacks.ts';
import { HonestMessages, lateMs } from '../src/siege/honest-messages.ts';
import { broken, middleOf, siegeTable } from '../src/siege/report.ts';
import type { SiegeRow } from '../src/siege/siege.ts';
import { asking } from '../src/siege/text-attacks.ts';
import { answerTo } from '../src/siege/usage.ts';

const child = (code: string) =>
  spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });

test('an attacker that dies instead of answering ends the siege, also if it was dead before', async () => {
  const dying = child('process.once("message", () => process.exit(3))');
  await expect(answerTo(dying, 'usage')).rejects.toThrow('the attacker has died: 3');
  await expect(answerTo(dying, 'usage')).rejects.toThrow('the attacker has died: 3');
  const living = child('process.once("message", (text) => process.send({ text }, () => process.exit()))');
  expect(await answerTo(living, 'usage')).toEqual({ text: 'usage' });
});

/** Sends a message that is delivered to some of three people after so many milliseconds each, and answered after ten. */
function send(messages: HonestMessages, content: string, sentAtMs: number, latenciesMs: readonly number[]) {
  messages.sent(content, sentAtMs, [0, 1, 2]);
  for (const [n, ms] of latenciesMs.entries()) messages.delivered(content, n, sentAtMs + ms);
  messages.answered(content, false, sentAtMs + 10);
}

test('a message counts for the window in which it was sent, whenever it came, and once for each recipient', () => {
  const messages = new HonestMessages();
  send(messages, 'before', 0, [7, 7, 7]);
  send(messages, 'within', 100, [10, 20, 900]);
  messages.delivered('within', 0, 990);
  send(messages, 'after', 200, [5, 5, 5]);
  messages.delivered('of a stranger', 0, 150);
  expect(messages.window(100, 200, 1_000)).toEqual({
    ...{ deliveries: 3, p50Ms: 20, p99Ms: 900, worstMs: 900, late: 0, refused: 0 },
  });
});

test('what has not come is late once its time is over, and has taken at least that long', () => {
  const messages = new HonestMessages();
  send(messages, 'lost', 0, [10, 10]);
  expect(messages.areWhole(0, 1)).toBe(false);
  expect(messages.window(0, 1, lateMs)).toMatchObject({ deliveries: 2, worstMs: lateMs, late: 0 });
  expect(messages.window(0, 1, lateMs + 1)).toMatchObject({ deliveries: 2, p99Ms: lateMs + 1, late: 1 });
  messages.delivered('lost', 2, 2 * lateMs);
  expect(messages.areWhole(0, 1)).toBe(true);
  expect(messages.window(0, 1, 3 * lateMs)).toMatchObject({ deliveries: 3, worstMs: 2 * lateMs, late: 1 });
});

test('a message without an answer is late, one that is refused is counted and waits for nobody', () => {
  const messages = new HonestMessages();
  messages.sent('unanswered', 0, [0]);
  messages.delivered('unanswered', 0, 10);
  messages.sent('refused', 0, [0, 1]);
  messages.answered('refused', true, 10);
  expect(messages.areWhole(0, 1)).toBe(false);
  expect(messages.window(0, 1, lateMs + 1)).toMatchObject({
    ...{ deliveries: 1, worstMs: 10, late: 1, refused: 1 },
  });
  messages.answered('unanswered', false, 20);
  expect(messages.areWhole(0, 1)).toBe(true);
  expect(messages.window(0, 1, lateMs + 1)).toMatchObject({ late: 0, refused: 1 });
});

const window = { deliveries: 100, p50Ms: 5, p99Ms: 20, worstMs: 30, late: 0, refused: 0 };
const memory = { gateways: 100, cores: 100 };
const redis = { mebibytes: 3, subscribers: new Set(['1']) };
const cpu = { gateways: 0, cores: 0, attacker: 0, machine: 0, gatewayLateMs: 0, coreLateMs: 0 };
const harmless: SiegeRow = {
  ...{
    name: 'wrong-sign-ins',
    quiet: window,
    control: window,
    attacked: window,
    first: window,
    rest: window,
    cut: 0,
  },
  ownerSignsIn: { token: true, code: true, codeElsewhere: false },
  progress: { what: 'guesses were right', wanted: 0, reached: 0, most: 0 },
  cpu: { quiet: cpu, control: cpu, first: cpu, rest: cpu },
  memory: { before: memory, during: memory, after: memory },
  redis: { before: redis, during: redis, after: redis },
  refusals: new Map(),
};
const withWindow = (more: Partial<SiegeRow['attacked']>) => ({
  ...harmless,
  attacked: { ...window, ...more },
});

test.each<[why: string, row: SiegeRow]>([
  ['3 honest requests were refused', withWindow({ refused: 3 })],
  ['2 deliveries and answers came after more than 5 s, or never', withWindow({ late: 2 })],
  ['1 honest connections were cut', { ...harmless, cut: 1 }],
  ['guesses were right: 1 (at most 0)', { ...harmless, progress: { ...harmless.progress, reached: 1 } }],
  [
    "no answers to the owner's own code: nothing is shown",
    {
      ...harmless,
      progress: { ...harmless.progress, tried: { what: "answers to the owner's own code", answers: 0 } },
    },
  ],
  [
    'an owner was locked out',
    { ...harmless, ownerSignsIn: { token: false, code: true, codeElsewhere: true } },
  ],
  [
    'an owner with a code was locked out in the own network',
    { ...harmless, ownerSignsIn: { token: true, code: false, codeElsewhere: true } },
  ],
  ['honest p99 is more than twice its quiet value', withWindow({ p99Ms: 41 })],
  ['honest p99 is more than twice its quiet value', withWindow({ p99Ms: Number.NaN })],
  [
    'memory is not back',
    { ...harmless, memory: { ...harmless.memory, after: { gateways: 111, cores: 110 } } },
  ],
  [
    "Redis' memory is not back",
    { ...harmless, redis: { ...harmless.redis, after: { ...redis, mebibytes: 12 } } },
  ],
  [
    '1 connections to Redis that listened have ended',
    { ...harmless, redis: { ...harmless.redis, after: { ...redis, subscribers: new Set(['2']) } } },
  ],
])('an attack is told to have broken a promise: %s', (why, row) => {
  expect(broken([harmless])).toEqual([]);
  expect(broken([row])).toEqual([why]);
  expect(siegeTable([[row]])).toContain(why);
});

test('the table has the control beside quiet and attack, and how many times each the attack was', () => {
  const table = siegeTable([[{ ...withWindow({ p99Ms: 30 }), control: { ...window, p99Ms: 25 } }]]);
  expect(table).toContain('| 20, 25, 30 ');
  expect(table).toContain('| 1.5, 1.2 ');
});

test('of several runs the table has the one in the middle; what must always hold must hold in each', () => {
  const [slow, slower] = [withWindow({ p99Ms: 39 }), withWindow({ p99Ms: 400, late: 1 })];
  expect(middleOf([slower, harmless, slow])).toBe(slow);
  expect(broken([slower, harmless, slow])).toEqual([
    '1 deliveries and answers came after more than 5 s, or never',
  ]);
  expect(broken([slower, slow, slower])).toContain('honest p99 is more than twice its quiet value');
});

test("an owner's code is tried once as many wrong ones were told as limits allow, and a right guess is counted", () => {
  const progress: Progress = { what: '', wanted: 0, reached: 0 };
  const target = { codeOwner: { sid: '888.5000001000', localAddress: '127.2.0.1' } } as Target;
  const { send: guess, readFrame } = guessing(target, progress, 200, () => '888.5000000000');
  const guessed = () => {
    const sent: { verification_code: string }[] = [];
    const client = {
      send(_type: string, payload: unknown, id = '') {
        sent.push(payload as { verification_code: string });
        return id;
      },
    };
    for (let n = 0; n < 40; n += 1) guess(client);
    return sent.filter(({ verification_code }) => verification_code === '000000').length;
  };
  const answer = (id: string, type: string, text: string) =>
    readFrame(JSON.stringify({ id, type: `AUTHORIZATION_SIGN_IN_${type}`, payload: { errors: [text] } }));
  for (let n = 0; n < 8; n += 1) answer(`wrong${n}`, 'FAILURE', errorTexts.wrongCredential.text);
  for (let n = 0; n < 8; n += 1) answer(`wrong${n}`, 'FAILURE', errorTexts.tooManyAttempts.text);
  answer('12', 'FAILURE', errorTexts.wrongCredential.text);
  expect(guessed()).toBe(0);
  expect(progress.tried?.answers).toBe(0);
  answer('wrong9', 'FAILURE', errorTexts.wrongCredential.text);
  expect(guessed()).toBe(20);
  answer('right10', 'FAILURE', errorTexts.tooManyAttempts.text);
  expect(progressText(progress)).toBe(
    "guesses were right: 0 (at most 0), of 1 answers to the owner's own code",
  );
  answer('right11', 'SUCCESS', '');
  expect(progressText(progress)).toBe(
    "guesses were right: 1 (at most 0), of 2 answers to the owner's own code",
  );
});

test('a number is told by each answer that those with an account get more often than those without, and by no other', () => {
  const progress: Progress = { what: '', wanted: 0, reached: 0 };
  const { send: ask, readFrame } = asking(progress, { group_id: 1, taken: ['1.555'], free: () => '1.556' });
  const sent: [id: string, sid: string][] = [];
  const client = {
    send(_type: string, payload: unknown, id = '') {
      sent.push([id, (payload as { member_sid: string }).member_sid]);
      return id;
    },
  };
  for (let n = 0; n < 4; n += 1) ask(client);
  expect(sent.map(([, sid]) => sid)).toEqual(['1.556', '1.555', '1.556', '1.555']);
  const [free, taken] = sent.map(([id]) => id) as [string, string];
  const answer = (id: string, type: string, ...errors: string[]) =>
    readFrame(JSON.stringify({ id, type: `GROUP_ADD_MEMBER_${type}`, payload: { errors } }));
  answer(taken, 'SUCCESS');
  answer(free, 'FAILURE', errorTexts.userUnknown.text);
  for (const id of [free, taken]) answer(id, 'FAILURE', tryAgainIn(errorTexts.tooManyAdded.text, 60));
  expect(progress).toMatchObject({ reached: 2, tried: { answers: 4 } });
  answer(free, 'FAILURE', tryAgainIn(errorTexts.tooManyUnknown.text, 60));
  answer(taken, 'FAILURE', tryAgainIn(errorTexts.tooManyAdded.text, 50));
  answer(taken, 'FAILURE', errorTexts.groupFull.text);
  expect(progressText(progress)).toBe(
    'answers told whether somebody has a number: 5 (at most 5500), of 7 numbers that were asked for (taken, free: ' +
      'GROUP_ADD_MEMBER_SUCCESS 1, 0; payload.member_sid: nobody has this sid 0, 1; too many members added 2, 1; ' +
      'too many numbers that nobody has 0, 1; group would have too many members 1, 0)',
  );
});
