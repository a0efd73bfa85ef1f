import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

type Frame = { id: string; type: string; payload: Record<string, unknown> };

/** What can be done about a frame. Doing nothing swallows it. */
type Means = {
  toClient(text: string): void;
  toServer(text: string): void;
  /** To all the others who are connected here. */
  toOthers(text: string): void;
  /** Breaks both connections, after what was sent to the server has left. */
  cut(): void;
};

/** One connection's. What is not given passes unchanged. */
export type Meddling = {
  readonly fromClient?: (frame: Frame, means: Means) => void;
  readonly fromServer?: (frame: Frame, means: Means) => void;
};

/**
 * Stands between clients and a gateway, as a WebSocket server on a loopback port of its own.
 * @returns its url
 */
export async function startMiddleman(
  target: string,
  meddle: () => Meddling,
): Promise<{ url: string; close(): void }> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, path: '/v2', perMessageDeflate: false });
  await once(server, 'listening');
  server.on('connection', (client) => relay(client, target, meddle(), server));
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v2`,
    close: () => {
      for (const client of server.clients) client.terminate();
      server.close();
    },
  };
}

function relay(client: WebSocket, target: string, meddling: Meddling, server: WebSocketServer): void {
  const upstream = new WebSocket(target, { perMessageDeflate: false });
  const early: string[] = [];
  let isCut = false;
  const write = (socket: WebSocket, text: string) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(text);
  };
  const means: Means = {
    toClient: (text) => write(client, text),
    toServer: (text) => {
      if (upstream.readyState === WebSocket.CONNECTING) early.push(text);
      else write(upstream, text);
    },
    toOthers: (text) => {
      for (const other of server.clients) if (other !== client) write(other, text);
    },
    cut: () => {
      isCut = true;
      client.terminate();
      // A close frame goes out after what was written before.
      upstream.close();
    },
  };
  const pass = (from: 'fromClient' | 'fromServer', to: 'toServer' | 'toClient') => (data: unknown) => {
    if (isCut) return;
    const text = String(data);
    if (meddling[from]) meddling[from](JSON.parse(text) as Frame, means);
    else means[to](text);
  };
  client.on('message', pass('fromClient', 'toServer'));
  upstream.on('message', pass('fromServer', 'toClient'));
  upstream.on('open', () => {
    for (const text of early) upstream.send(text);
  });
  for (const socket of [client, upstream]) socket.on('error', () => undefined);
  client.on('close', () => {
    if (!isCut) upstream.terminate();
  });
  upstream.on('close', (code) => {
    if (isCut) return;
    // 1005 and 1006 cannot be sent.
    if (code >= 1_000 && code !== 1_005 && code !== 1_006) client.close(code);
    else client.terminate();
  });
}
