import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RunningProcess, type StackDescription, serviceSpec, whenReady } from '@hooligram/local';
import { type Faults, FaultyWebSocketProxy } from '@hooligram/testkit/proxies';
import type { Options } from '../options.ts';

const users = { CANARY_SENDER: '44.7700900001', CANARY_RECIPIENT: '44.7700900002' } as const;
const times = { CANARY_EVERY_MS: '1000', CANARY_LOST_MS: '4000' };
/** The launcher's ports end below it; Prometheus has one of them. */
const portOffset = 1_310;
const readyTimeoutMs = 60_000;
const signUpProgram = fileURLToPath(new URL('../../../../apps/canary/dist/sign-up.js', import.meta.url));

export type Canary = {
  readonly admin: string;
  /** While true, what it sends is lost on its way to all gateways. */
  isCut: boolean;
  stop(): Promise<void>;
};

/** Starts the canary between all gateways, each behind a proxy that can lose what it sends. */
export async function startCanary(
  options: Options,
  { gateways, url }: StackDescription,
  signal: AbortSignal,
): Promise<Canary> {
  const faults: Faults = {
    fromClient(frame, { toServer }) {
      if (!(canary.isCut && frame.type === 'MESSAGING_SEND_REQUEST')) toServer(frame);
    },
  };
  const proxies = await Promise.all(
    gateways.map((gateway) => FaultyWebSocketProxy.start(gateway.url, faults)),
  );
  const port = options.port + portOffset;
  const [CANARY_SENDER_TOKEN, CANARY_RECIPIENT_TOKEN] = await Promise.all(
    Object.values(users).map((user) => signUp(url, user)),
  );
  const env = {
    ...process.env,
    ...users,
    ...times,
    ...{ CANARY_SENDER_TOKEN, CANARY_RECIPIENT_TOKEN },
    CANARY_URLS: proxies.map((proxy) => proxy.url).join(','),
    ...{ ADMIN_HOST: '127.0.0.1', ADMIN_PORT: String(port) },
  };
  const spec = serviceSpec('canary', 'canary', join(options.dataDir, 'log'), env);
  const running = await RunningProcess.start(spec);
  const canary: Canary = {
    admin: `http://127.0.0.1:${port}`,
    isCut: false,
    async stop() {
      await running.stop();
      await Promise.all(proxies.map((proxy) => proxy.stop()));
    },
  };
  const isReady = async () => (await fetch(`${canary.admin}/readyz`)).ok;
  try {
    await whenReady(spec, running, { isReady, readyTimeoutMs, signal });
  } catch (error) {
    await canary.stop();
    throw error;
  }
  return canary;
}

/** @returns the user's token, as the program for operators prints it */
async function signUp(url: string, user: string): Promise<string> {
  let token = '';
  const child = execFile(process.execPath, [signUpProgram, url, user], (_, output) => {
    token = output.trim();
  });
  child.stdin?.end('000000\n');
  await once(child, 'close');
  if (token === '') throw new Error(`the canary's user ${user} could not be made`);
  return token;
}
