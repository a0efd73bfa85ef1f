import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ours } from './ours.ts';
import type { Target } from './target.ts';

/** Ours, with a collector named and nothing else: the default share of messages is traced. */
export const traced: Target = {
  about: 'ours, with traces sent to a collector; --target ours,traced compares the two',
  async start(options, log, signal) {
    const collector = await startCollector();
    const { port } = collector.address() as AddressInfo;
    const env = { ...options.env, OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` };
    const stopCollector = () => {
      collector.close();
      collector.closeAllConnections();
    };
    try {
      const target = await ours.start({ ...options, env }, log, signal);
      return {
        ...target,
        async stop() {
          await target.stop();
          stopCollector();
        },
      };
    } catch (error) {
      stopCollector();
      throw error;
    }
  },
};

/** Takes everything and keeps nothing: what a real one would cost is not ours. */
async function startCollector(): Promise<Server> {
  const server = createServer((request, response) => {
    request
      .resume()
      .on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
