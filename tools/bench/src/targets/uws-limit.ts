import { startPeer } from './peer-process.ts';
import type { Target } from './target.ts';

export const uwsLimit: Target = {
  about: 'one bare uWebSockets.js process that publishes to its sockets: no storage, no second node',
  async start({ port }) {
    const server = await startPeer('uws-limit-server', [port]);
    return {
      codec: 'hooligram',
      urls: [`ws://127.0.0.1:${port}/v2`],
      code: '000000',
      roles: () => ({ server: [server.pid] }),
      stop: server.stop,
    };
  },
};
