import { setTimeout as pause } from 'node:timers/promises';
import { type StackDescription, startStackProcess } from '@hooligram/local';
import type { Target } from './target.ts';

const pollMs = 200;
const patienceMs = 60_000;

/** Two gateways, a core, Postgres and Redis, or as the flags say, as `npm start` runs them, on empty data. */
export const ours: Target = {
  about: 'this system: gateways, core, Redis, Postgres',
  async start(options, log, signal) {
    const { gateways, cores, redis, port, dataDir, env } = options;
    const stack = await startStackProcess(
      { gateways, cores, redises: redis, port, dataDir, env },
      log,
      signal,
    );
    const { gateways: nodes, postgres, redises: stores } = stack.describe();
    return {
      codec: 'hooligram',
      urls: nodes.map(({ url }) => url),
      code: '000000',
      roles() {
        const now = stack.describe();
        return {
          gateway: now.gateways.map(({ pid }) => pid),
          core: now.cores.map(({ pid }) => pid),
          redis: now.redises.map(({ pid }) => pid),
          postgres: [now.postgres.pid],
        };
      },
      async renewGateways() {
        const old = stack.describe().gateways;
        for (const { pid } of old) process.kill(pid, 'SIGTERM');
        await whenReplaced(() => stack.describe().gateways, old);
      },
      metricsUrls() {
        const now = stack.describe();
        return [...now.gateways, ...now.cores].map(({ admin }) => `${admin}/metrics`);
      },
      stores: () => ({
        databaseUrl: postgres.url,
        redisUrls: stores.map(({ url }) => url),
        metricsUrls: stack.describe().cores.map(({ admin }) => `${admin}/metrics`),
      }),
      stop: stack.stop,
    };
  },
};

type Gateways = StackDescription['gateways'];

/** Waits until the launcher has replaced all gateways, which have ended. @throws Error when it does not */
async function whenReplaced(now: () => Gateways, old: Gateways): Promise<void> {
  const givesUpAt = Date.now() + patienceMs;
  const pids = new Set(old.map(({ pid }) => pid));
  const isNew = async ({ pid, admin }: Gateways[number]) =>
    !pids.has(pid) && (await fetch(`${admin}/readyz`).catch(() => undefined))?.ok === true;
  while (!(await Promise.all(now().map(isNew))).every(Boolean)) {
    if (Date.now() > givesUpAt) throw new Error('the gateways were stopped and did not come back');
    await pause(pollMs);
  }
}
