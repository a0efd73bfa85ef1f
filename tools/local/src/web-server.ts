import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import sirv from 'sirv';

// From src/ and from dist/ alike.
const builtPage = fileURLToPath(new URL('../../../apps/web/dist/', import.meta.url));
const yearSeconds = 31_536_000;

/** Where the page finds gateways (apps/web/src/server-url.ts): on its own host, and servers that are elsewhere. */
export type ServerList = {
  readonly port: number;
  readonly gateways: readonly { readonly name: string; readonly port: number }[];
  readonly servers?: readonly { readonly name: string; readonly url: string }[];
};

/**
 * What whoever serves the page has to say of it: docs/operations.md, "The page", has them too. Over TLS there is one more,
 * Strict-Transport-Security.
 */
const pageHeaders = {
  // A page cannot set this directive itself; the rest of its policy is in its own head.
  'Content-Security-Policy': "frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

export type WebServer = {
  close(): Promise<void>;
};

/**
 * Serves the built chat page, as it is at each request: it may be built again meanwhile. A file with a hash in its name may
 * be cached without end; every other file is requested again at each visit, and answered with 304 while it is the same.
 * @param host the address to listen on
 * @param page the folder of the built page
 */
export async function serveWeb(
  host: string,
  port: number,
  servers: ServerList,
  page = builtPage,
): Promise<WebServer> {
  // Without `dev` it lists the folder once, and knows of no file, nor of a size, that comes with a later build.
  const files = sirv(page, { dev: true, etag: true, setHeaders });
  const server = createServer((request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      answer(response.setHeader('Allow', 'GET, HEAD'), 405, 'method not allowed\n');
    } else if (request.url === '/servers.json') {
      response.setHeader('Content-Type', 'application/json').setHeader('Cache-Control', 'no-store');
      answer(response, 200, JSON.stringify(servers));
    } else {
      files(request, response, () => answer(response, 404, 'not found\n'));
    }
  });
  server.listen({ host, port });
  await once(server, 'listening');
  return {
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function setHeaders(response: ServerResponse, path: string): void {
  const isHashed = path.startsWith('/assets/');
  response.setHeader('Cache-Control', isHashed ? `public, max-age=${yearSeconds}, immutable` : 'no-cache');
  for (const [name, value] of Object.entries(pageHeaders)) response.setHeader(name, value);
}

function answer(response: ServerResponse, status: number, text: string): void {
  if (!response.hasHeader('Content-Type')) response.setHeader('Content-Type', 'text/plain');
  response.writeHead(status).end(text);
}
