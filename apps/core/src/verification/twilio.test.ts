import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { createLog, readConfig } from '@hooligram/service';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { verificationConfig } from './config.ts';
import { createVerificationProvider } from './index.ts';
import type { VerificationProvider } from './provider.ts';

const account = `AC${'1'.repeat(32)}`;
const service = `VA${'2'.repeat(32)}`;
const messagingService = `MG${'3'.repeat(32)}`;
const token = 'hunter2';
const to = { countryCode: '1', phoneNumber: '5550100' };

type Asked = {
  readonly line: string;
  readonly authorization: string | undefined;
  readonly form: Record<string, string>;
};

type Reply = { status: number; body: object } | 'silence' | 'hang up' | 'trickle';

const verifications = `POST /v2/Services/${service}/Verifications`;
const ofNumber = `${verifications}/+15550100`;

// A stand-in of Twilio: notes what it is asked, and answers as it is told.
const asked: Asked[] = [];
const lines: string[] = [];
let reply: Reply;
/** Replies to requests of their own. */
let replies: Record<string, Reply> = {};
const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
  asked.push({
    line: `${request.method} ${request.url}`,
    authorization: request.headers.authorization,
    form: Object.fromEntries(new URLSearchParams(await text(request))),
  });
  const given = replies[`${request.method} ${request.url}`] ?? reply;
  if (given === 'silence') return;
  if (given === 'hang up') return request.socket.destroy();
  response.writeHead(given === 'trickle' ? 200 : given.status, { 'content-type': 'application/json' });
  if (given !== 'trickle') return response.end(JSON.stringify(given.body));
  const trickle = setInterval(() => response.write(' '), 5);
  response.on('close', () => clearInterval(trickle));
});

beforeEach(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  asked.length = 0;
  lines.length = 0;
  replies = {};
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
});

type Options = { timeoutMs?: number; path?: string; env?: Record<string, string> };

async function provider(options: Options = {}): Promise<VerificationProvider> {
  const { port } = server.address() as AddressInfo;
  const config = readConfig(verificationConfig, {
    CREDENTIAL_KEY: 'k'.repeat(32),
    VERIFICATION_PROVIDER: 'twilio',
    VERIFICATION_CODE_DIGITS: '6',
    TWILIO_ACCOUNT_SID: account,
    TWILIO_AUTH_TOKEN: token,
    ...(options.env ?? { TWILIO_VERIFY_SERVICE_SID: service, TWILIO_VERIFY_CHECKS: 'true' }),
    TWILIO_BASE_URL: `http://127.0.0.1:${port}${options.path ?? ''}`,
    TWILIO_TIMEOUT_MS: String(options.timeoutMs ?? 30_000),
    REQUEST_DEADLINE_MS: '60000',
  });
  const log = createLog({ name: 'core', destination: { write: (line) => void lines.push(line) } });
  return createVerificationProvider(config, log);
}

const failed = (status: number, code: number, message = 'no') => ({
  status,
  body: { status, code, message },
});
const verification = (status: string) => ({ status: 200, body: { sid: 'VE1', status, to: '+15550100' } });

describe('send', () => {
  test('asks Twilio for a text message to the number, with the account and its token', async () => {
    reply = { status: 201, body: { sid: 'VE1', status: 'pending' } };
    const twilio = await provider();
    expect(twilio.createCode()).toBeNull();
    expect(await twilio.send(to, null, 60_000)).toEqual({ ok: true });
    expect(asked).toEqual([
      {
        line: verifications,
        authorization: `Basic ${Buffer.from(`${account}:${token}`).toString('base64')}`,
        form: { To: '+15550100', Channel: 'sms' },
      },
    ]);
  });

  test('a path in TWILIO_BASE_URL comes before that of the API', async () => {
    reply = { status: 201, body: { status: 'pending' } };
    await (await provider({ path: '/proxy/' })).send(to, null, 60_000);
    expect(asked[0]?.line).toBe(`POST /proxy/v2/Services/${service}/Verifications`);
  });

  test.each([
    ['an invalid parameter', failed(400, 60200), 'refused'],
    ['an invalid number', failed(400, 21211), 'refused'],
    ['a landline', failed(403, 60205), 'refused'],
    ['too many codes', failed(429, 60203), 'tooMany'],
    ['too many requests', failed(429, 20429), 'tooMany'],
    ['a wrong token', failed(401, 20003), 'unavailable'],
    ['an unknown service', failed(404, 20404), 'unavailable'],
    ['an error of the server', failed(500, 20500), 'unavailable'],
    ['an error that is no JSON', { status: 502, body: 'bad gateway' as unknown as object }, 'unavailable'],
  ])('%s', async (_what, answer, reason) => {
    reply = answer;
    expect(await (await provider()).send(to, null, 60_000)).toEqual({ ok: false, reason });
    expect(asked).toHaveLength(1);
  });

  test.each(['silence', 'trickle'] as const)('%s counts as unavailable after the timeout', async (how) => {
    reply = how;
    expect(await (await provider()).send(to, null, 50)).toEqual({ ok: false, reason: 'unavailable' });
    expect(await (await provider({ timeoutMs: 50 })).send(to, null, 60_000)).toEqual({
      ok: false,
      reason: 'unavailable',
    });
  });

  test('nobody is asked when there is no time left for an answer', async () => {
    expect(await (await provider()).send(to, null, 0)).toEqual({ ok: false, reason: 'unavailable' });
    expect(await (await provider()).check(to, '123456', -1)).toBe('unavailable');
    expect(asked).toHaveLength(0);
  });

  test('a connection that breaks counts as unavailable', async () => {
    reply = 'hang up';
    expect(await (await provider()).send(to, null, 60_000)).toEqual({ ok: false, reason: 'unavailable' });
  });

  test('what goes wrong is logged without the number', async () => {
    reply = failed(500, 20500, 'Could not send to +15550100');
    await (await provider()).send(to, null, 60_000);
    expect(lines.join('')).toContain('Could not send to +');
    expect(lines.join('')).not.toContain('5550100');
    expect(lines.join('')).not.toContain(token);
  });
});

describe('with a Messaging service', () => {
  const texting = (env = {}) => provider({ env: { TWILIO_MESSAGING_SERVICE_SID: messagingService, ...env } });

  test('a code is made here, another one each time, and Twilio is asked to text it through the service', async () => {
    reply = { status: 201, body: { sid: 'SM1', status: 'accepted' } };
    const twilio = await texting({ VERIFICATION_CODE_DIGITS: '8' });
    const codes = Array.from({ length: 20 }, () => twilio.createCode());
    for (const code of codes) expect(code).toMatch(/^\d{8}$/);
    expect(new Set(codes).size).toBe(20);
    expect(await twilio.send(to, '01234567', 60_000)).toEqual({ ok: true });
    expect(asked).toEqual([
      {
        line: `POST /2010-04-01/Accounts/${account}/Messages.json`,
        authorization: `Basic ${Buffer.from(`${account}:${token}`).toString('base64')}`,
        form: {
          To: '+15550100',
          MessagingServiceSid: messagingService,
          Body: 'Your verification code is 01234567',
        },
      },
    ]);
  });

  test('it is used in the place of a Verify service that is configured too', async () => {
    reply = { status: 201, body: { sid: 'SM1' } };
    const twilio = await texting({ TWILIO_VERIFY_SERVICE_SID: service });
    await twilio.send(to, twilio.createCode(), 60_000);
    expect(asked[0]?.line).toBe(`POST /2010-04-01/Accounts/${account}/Messages.json`);
  });

  test.each([
    ['a number that is none', failed(400, 21211), 'refused'],
    ['a number that takes no texts', failed(400, 21614), 'refused'],
    ['too many requests', failed(429, 20429), 'tooMany'],
    ['an unknown service', failed(404, 20404), 'unavailable'],
  ])('%s', async (_what, answer, reason) => {
    reply = answer;
    expect(await (await texting()).send(to, '012345', 60_000)).toEqual({ ok: false, reason });
  });

  test('neither the code nor the number is in the log when it fails', async () => {
    reply = failed(500, 20500, 'Could not send "Your verification code is 734912" to +15550100');
    await (await texting()).send(to, '734912', 60_000);
    expect(lines.join('')).toContain('twilio');
    expect(lines.join('')).not.toContain('5550100');
  });
});

describe('with a Verify service that sends codes of our own', () => {
  const sending = (timeoutMs = 30_000) =>
    provider({ timeoutMs, env: { TWILIO_VERIFY_SERVICE_SID: service } });
  const created = { status: 201, body: { sid: 'VE1', status: 'pending' } };

  test('a code is made here and sent once, and the one before is canceled first: each has a verification of its own', async () => {
    reply = created;
    for (const before of [verification('canceled'), failed(404, 20404), failed(500, 20500)]) {
      replies = { [ofNumber]: before };
      const twilio = await sending();
      const code = twilio.createCode();
      expect(code).toMatch(/^\d{6}$/);
      expect(await twilio.send(to, code, 60_000)).toEqual({ ok: true });
      expect(asked.splice(0)).toMatchObject([
        { line: ofNumber, form: { Status: 'canceled' } },
        { line: verifications, form: { To: '+15550100', Channel: 'sms', CustomCode: code } },
      ]);
    }
  });

  test('a code does not wait for an end of the one before that nobody confirms', async () => {
    replies = { [ofNumber]: 'silence' };
    reply = created;
    expect(await (await sending()).send(to, '012345', 60_000)).toEqual({ ok: true });
    expect(asked.map(({ line }) => line)).toEqual([ofNumber, verifications]);
  });

  test('that a code was right is reported', async () => {
    reply = verification('approved');
    expect(await (await sending()).reportConverted?.(to)).toBe('reported');
    expect(asked).toMatchObject([{ line: ofNumber, form: { Status: 'approved' } }]);
    reply = failed(404, 20404);
    expect(await (await sending()).reportConverted?.(to)).toBe('expired');
    reply = failed(503, 20503);
    expect(await (await sending()).reportConverted?.(to)).toBe('unavailable');
    reply = 'trickle';
    expect(await (await sending(50)).reportConverted?.(to)).toBe('unavailable');
  });

  test.each([
    ['a landline', failed(403, 60205), 'refused'],
    ['too many codes', failed(429, 60203), 'tooMany'],
    ['a wrong token', failed(401, 20003), 'unavailable'],
  ])('%s', async (_what, answer, reason) => {
    replies = { [ofNumber]: failed(404, 20404) };
    reply = answer;
    expect(await (await sending()).send(to, '012345', 60_000)).toEqual({ ok: false, reason });
  });

  test('a service that takes none is unavailable, and the log says what to do', async () => {
    replies = { [ofNumber]: failed(404, 20404) };
    reply = failed(403, 60204);
    expect(await (await sending()).send(to, '012345', 60_000)).toEqual({ ok: false, reason: 'unavailable' });
    expect(lines.join('')).toMatch(/does not take custom codes.*TWILIO_VERIFY_CHECKS=true/);
  });
});

describe('check', () => {
  test('asks Twilio about the number and the code', async () => {
    reply = verification('approved');
    expect(await (await provider()).check(to, '123456', 60_000)).toBe('right');
    expect(asked).toMatchObject([
      { line: `POST /v2/Services/${service}/VerificationCheck`, form: { To: '+15550100', Code: '123456' } },
    ]);
  });

  test.each([
    ['pending', 'wrong'],
    ['canceled', 'expired'],
    ['expired', 'expired'],
    ['max_attempts_reached', 'tooMany'],
    ['something new', 'unavailable'],
  ])('a verification that is %s', async (status, result) => {
    reply = verification(status);
    expect(await (await provider()).check(to, '123456', 60_000)).toBe(result);
  });

  test.each([
    ['a code that is used or too old', failed(404, 20404), 'expired'],
    ['too many checks', failed(429, 60202), 'tooMany'],
    ['too many requests', failed(429, 20429), 'tooMany'],
    ['a parameter that Twilio refuses', failed(400, 60200), 'wrong'],
    ['a wrong token', failed(401, 20003), 'unavailable'],
    ['an error of the server', failed(503, 20503), 'unavailable'],
  ])('%s', async (_what, answer, result) => {
    reply = answer;
    expect(await (await provider()).check(to, '123456', 60_000)).toBe(result);
  });

  test('silence counts as unavailable after the timeout', async () => {
    reply = 'silence';
    expect(await (await provider({ timeoutMs: 50 })).check(to, '123456', 60_000)).toBe('unavailable');
  });

  test.each(['', '123', '12345678901', '12a456', '１２３４５６'])(
    '%j is wrong without asking',
    async (code) => {
      expect(await (await provider()).check(to, code, 60_000)).toBe('wrong');
      expect(asked).toEqual([]);
    },
  );
});
