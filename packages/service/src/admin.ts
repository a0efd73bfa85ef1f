import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Readiness } from './lifecycle.ts';
import { listen } from './listen.ts';
import type { Metrics } from './metrics.ts';

export type AdminOptions = {
  readonly host: string;
  readonly port: number;
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
  /** Whether the process wants work. */
  readonly ready: () => Readiness | Promise<Readiness>;
};

export type Admin = {
  readonly port: number;
  readonly url: string;
  /** Ends open connections at once. */
  close(): Promise<void>;
};

type Answer = {
  readonly status: number;
  readonly body: string;
  readonly contentType?: string;
};

/**
 * The HTTP server for orchestrators and Prometheus. Not for the public: bind it to loopback or to the inner network.
 * @throws ConfigError when the port is taken
 */
export async function startAdmin(options: AdminOptions): Promise<Admin> {
  const pages = createPages(options);
  const server = createServer((request, response) => {
    answer(pages, request).then(
      (page) => send(response, page, request.method === 'HEAD'),
      (error: Error) => send(response, json(500, { error: error.message }), false),
    );
  });
  const port = await listen(server, { host: options.host, port: options.port, variable: 'ADMIN_PORT' });
  return {
    port,
    url: `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

type Pages = Readonly<Record<string, () => Promise<Answer>>>;

function createPages({ metrics, ready }: AdminOptions): Pages {
  return {
    async '/healthz'() {
      return json(200, { healthy: true });
    },
    async '/readyz'() {
      const readiness = await ready();
      return json(readiness.ready ? 200 : 503, readiness);
    },
    async '/metrics'() {
      return { status: 200, body: await metrics.text(), contentType: metrics.contentType };
    },
  };
}

async function answer(pages: Pages, request: IncomingMessage): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return json(405, { allowed: ['GET', 'HEAD'] });
  const path = (request.url ?? '/').replace(/\?.*$/s, '');
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  return page ? page() : json(404, { paths: Object.keys(pages) });
}

function json(status: number, value: unknown): Answer {
  return { status, body: `${JSON.stringify(value)}\n` };
}

function send(
  response: ServerResponse,
  { status, body, contentType = 'application/json' }: Answer,
  isHead: boolean,
) {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
  response.end(isHead ? undefined : body);
}
