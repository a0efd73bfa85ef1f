import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Readiness } from './lifecycle.ts';
import { listen } from './listen.ts';
import type { Metrics } from './metrics.ts';

/**
 * An idle connection is kept for so long: whoever scrapes once a minute, or more often, does it over one. A new one takes as
 * long as half of the answer. (`headersTimeout` counts from the first byte of a request on.)
 */
const keepAliveMs = 65_000;

export type AdminOptions = {
  readonly host: string;
  readonly port: number;
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
  /** Whether the process wants work. */
  readonly ready: () => Readiness | Promise<Readiness>;
  /** Whoever wants metrics has to send it, as `Authorization: Bearer <token>`. */
  readonly token?: string | undefined;
};

export type Admin = {
  readonly port: number;
  readonly url: string;
  /** Ends open connections at once, idle or not. */
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
  const isLoopback = isOwnName(options.host);
  const server = createServer((request, response) => {
    const refusal = refusalOf(request, options.token, isLoopback);
    if (refusal) return send(response, refusal, request.method === 'HEAD');
    answer(pages, request).then(
      (page) => send(response, page, request.method === 'HEAD'),
      (error: Error) => send(response, json(500, { error: error.message }), false),
    );
  });
  server.keepAliveTimeout = keepAliveMs;
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

/** Whether a Host, or an address to listen on, is this machine's own, or an address: no name that somebody else owns. */
function isOwnName(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[?::1\]?)$/i.test(host);
}

/**
 * On the loopback address a page in a browser of this machine can reach the server under a name of its own (DNS rebinding).
 * Elsewhere names are the network's business.
 */
function refusalOf(
  { url = '/', headers }: IncomingMessage,
  token: string | undefined,
  isLoopback: boolean,
): Answer | undefined {
  const name = headers.host?.replace(/:\d+$/, '');
  if (isLoopback && name !== undefined && !isOwnName(name)) return json(403, { host: name });
  if (token === undefined || !url.startsWith('/metrics')) return undefined;
  const given = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  return isSame(given, token) ? undefined : json(401, { wanted: 'Authorization: Bearer' });
}

/** Takes as long however much of it is right. */
function isSame(given: string, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
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
