import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { metricNames } from '@hooligram/observability';
import { createService, type Service } from '@hooligram/service';
import {
  getOnce,
  type Metrics,
  metrics,
  startSystem,
  type TestSystem,
  uniqueSid,
  until,
} from '@hooligram/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { canary } from '../src/canary.ts';
import { type canaryConfig, placeOf } from '../src/config.ts';

let system: TestSystem;
let users: NodeJS.ProcessEnv;
let running: Service<typeof canaryConfig> | undefined;

beforeAll(async () => {
  system = await startSystem({ gateways: 2, cores: 1 });
  const [sender, recipient] = [uniqueSid(), uniqueSid()];
  const [senderToken, recipientToken] = await Promise.all([signUp(sender), signUp(recipient)]);
  users = {
    CANARY_SENDER: sender,
    CANARY_SENDER_TOKEN: senderToken,
    CANARY_RECIPIENT: recipient,
    CANARY_RECIPIENT_TOKEN: recipientToken,
  };
});
afterEach(async () => {
  await running?.close();
  running = undefined;
});
afterAll(() => system?.stop());

/** The token that the program for operators prints. */
async function signUp(sid: string): Promise<string> {
  const program = fileURLToPath(new URL('../dist/sign-up.js', import.meta.url));
  const child = spawn(process.execPath, [program, system.url, sid], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end('000000\n');
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (output === '') throw new Error(errors);
  return output.trim();
}

/** A canary between both gateways, or with other variables. */
async function startCanary(env: NodeJS.ProcessEnv = {}): Promise<Service<typeof canaryConfig>> {
  const variables = {
    ADMIN_PORT: '0',
    CANARY_URLS: system.gateways.map(({ url }) => url).join(','),
    LOG_LEVEL: 'silent',
    CANARY_EVERY_MS: '100',
    CANARY_LOST_MS: '2000',
    ...users,
    ...env,
  };
  running = createService(canary, variables);
  await running.start();
  return running;
}

/** Waits until the canary's metrics are so. */
function metricsUntil(what: string, holds: (seen: Metrics) => boolean): Promise<Metrics> {
  return until(what, () => metrics(running?.adminUrl ?? ''), holds);
}

const count = (seen: Metrics, from: string, to: string, outcome: string) =>
  seen.value('hooligram_canary_messages_total', { from, to, outcome });

test('a message goes from each gateway to each, and is counted and timed on every path', async () => {
  const { adminUrl } = await startCanary();
  const places = system.gateways.map(({ url }) => placeOf(url));
  const paths = places.flatMap((from) => places.map((to) => ({ from, to })));
  expect(paths).toHaveLength(4);
  const seen = await metricsUntil('two messages came on every path', (now) =>
    paths.every(({ from, to }) => count(now, from, to, 'delivered') >= 2),
  );
  for (const path of paths) {
    expect(seen.value('hooligram_canary_delivery_seconds_count', path)).toBe(
      count(seen, path.from, path.to, 'delivered'),
    );
  }
  for (const from of places) {
    expect(seen.value('hooligram_canary_sends_total', { from, outcome: 'committed' })).toBeGreaterThan(0);
  }
  const exposed = [...seen.text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name);
  expect(exposed.sort()).toEqual(metricNames('canary').sort());
  await until(
    'it is ready',
    () => getOnce(new URL('/readyz', adminUrl)),
    ({ ok }) => ok,
  );
});

test('a gateway that is gone shows as loss on its paths, and on no other; when it is back, messages come again', async () => {
  const gone = system.gateway(1);
  const [here, there] = [placeOf(system.gateway(0).url), placeOf(gone.url)];
  const failures = [
    [`messages from ${there}`, 'no answer in time'],
    [`messages to ${there}`, `a message from ${here} did not come in time`],
  ];
  const { adminUrl } = await startCanary();
  await metricsUntil('messages come on every path', (now) =>
    [here, there].every((from) => [here, there].every((to) => count(now, from, to, 'delivered') > 0)),
  );
  await gone.kill();
  const atKill = await metrics(adminUrl);
  await metricsUntil(
    'messages from and to it are lost, and others still come',
    (now) =>
      count(now, there, here, 'lost') > count(atKill, there, here, 'lost') &&
      count(now, here, there, 'lost') > count(atKill, here, there, 'lost') &&
      count(now, here, here, 'delivered') > count(atKill, here, here, 'delivered') &&
      now.value('hooligram_canary_sends_total', { from: there, outcome: 'failed' }) > 0,
  );
  await until(
    'the checks of the canary name it, and no other',
    async () => ((await (await getOnce(new URL('/readyz', adminUrl))).json()) as { checks: object }).checks,
    (checks) => {
      const failing = Object.entries(checks).filter(([, reason]) => reason !== 'ok');
      return JSON.stringify(failing.sort()) === JSON.stringify(failures.sort());
    },
  );
  await gone.start();
  const before = await metrics(adminUrl);
  await metricsUntil('messages come on every path again', (now) =>
    [here, there].every((other) =>
      [count(now, there, other, 'delivered'), count(now, other, there, 'delivered')].every(
        (delivered, index) =>
          delivered >
          (index === 0 ? count(before, there, other, 'delivered') : count(before, other, there, 'delivered')),
      ),
    ),
  );
});

test('a token that is refused is tried once a connection, and all messages are lost, so that the alert fires', async () => {
  const place = placeOf(system.gateway(0).url);
  const failures = async () =>
    (await metrics(system.gateway(0).adminUrl)).value('hooligram_gateway_sign_ins_total', {
      outcome: 'failure',
    });
  const before = await failures();
  await startCanary({
    CANARY_URLS: system.gateway(0).url,
    CANARY_SENDER_TOKEN: 'not-the-token',
    CANARY_LOST_MS: '200',
  });
  // The canary begins without it after a while.
  await until('it is refused', failures, (found) => found > before);
  await metricsUntil('messages are lost', (now) => count(now, place, place, 'lost') >= 3);
  expect((await failures()) - before).toBe(1);
});

test('a bad configuration is one line for each fault', () => {
  const start = (env: NodeJS.ProcessEnv) => () => createService(canary, { ...users, ...env });
  const fault = 'canary: CANARY_URLS must be 1 to 16 URLs';
  expect(start({ CANARY_URLS: 'http://a/v2' })).toThrow(fault);
  expect(start({ CANARY_URLS: 'ws://a/v2,ws://a/v3' })).toThrow(fault);
  expect(start({ CANARY_URLS: 'ws://a/v2', CANARY_RECIPIENT: users.CANARY_SENDER })).toThrow(
    'canary: CANARY_RECIPIENT must be another user than CANARY_SENDER',
  );
});
