import { startStackProcess } from '@hooligram/stack';
import type { Target } from './target.ts';

/** Two gateways, a core, Postgres and Redis, as `npm start` runs them, on empty data. */
export const ours: Target = {
  about: 'this system: gateways, core, Redis, Postgres',
  async start(options, log, signal) {
    const { gateways, cores, port, dataDir, env } = options;
    const stack = await startStackProcess({ gateways, cores, port, dataDir, env }, log, signal);
    const { gateways: nodes, postgres } = stack.describe();
    return {
      speech: 'hooligram',
      urls: nodes.map(({ url }) => url),
      code: '000000',
      roles() {
        const now = stack.describe();
        return {
          gateway: now.gateways.map(({ pid }) => pid),
          core: now.cores.map(({ pid }) => pid),
          redis: [now.redis.pid],
          postgres: [now.postgres.pid],
        };
      },
      databaseUrl: postgres.url,
      stop: stack.stop,
    };
  },
};
