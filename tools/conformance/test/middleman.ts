import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type RawData, WebSocket, WebSocketServer } from 'ws';

export type Frame = { id: string; type: string; payload: Record<string, unknown> };

/** One connection, and what can be done with its frames. Doing nothing swallows them. */
export type Link = {
  toClient(frame: Frame): void;
  toServer(frame: Frame): void;
  /** To the clients of all other connections. */
  toOthers(frame: Frame): void;
  /** Closes the client's connection. */
  close(code: number): void;
  /** What a case remembers of this connection. */
  readonly memory: Map<string, unknown>;
};

/** How a server is broken. What is not given passes unchanged. */
export type Meddling = {
  readonly fromClient?: (frame: Frame, link: Link) => void;
  readonly fromServer?: (frame: Frame, link: Link) => void;
  /** What is no frame, or a binary message; return true to swallow it. */
  readonly fromClientRaw?: (text: string, isBinary: boolean, link: Link) => boolean;
  /** Code and reason with which the client's connection is closed. */
  readonly onClose?: (code: number, reason: string) => [code: number, reason: string];
};

/** A server that breaks one rule: it stands between clients and a gateway, on a loopback port of its own. */
export async function startMiddleman(target: string, meddling: Meddling) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, path: '/v2', perMessageDeflate: false });
  await once(server, 'listening');
  server.on('connection', (client) => relay(client, target, meddling, server));
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v2`,
    stop: () => {
      for (const client of server.clients) client.terminate();
      server.close();
    },
  };
}

function relay(client: WebSocket, target: string, meddling: Meddling, server: WebSocketServer): void {
  const upstream = new WebSocket(target, { perMessageDeflate: false });
  const early: (RawData | string)[] = [];
  const write = (socket: WebSocket, data: RawData | string) => {
    if (socket.readyState === WebSocket.CONNECTING) early.push(data);
    else if (socket.readyState === WebSocket.OPEN) socket.send(data);
  };
  const link: Link = {
    toClient: (frame) => write(client, JSON.stringify(frame)),
    toServer: (frame) => write(upstream, JSON.stringify(frame)),
    toOthers: (frame) => {
      for (const other of server.clients) if (other !== client) write(other, JSON.stringify(frame));
    },
    close: (code) => client.close(code),
    memory: new Map(),
  };
  client.on('message', (data, isBinary) => {
    const frame = isBinary ? undefined : frameOf(String(data));
    if (meddling.fromClientRaw?.(String(data), isBinary, link)) return;
    if (frame && meddling.fromClient) meddling.fromClient(frame, link);
    else write(upstream, isBinary ? data : String(data));
  });
  upstream.on('message', (data) => {
    const frame = frameOf(String(data));
    if (frame && meddling.fromServer) meddling.fromServer(frame, link);
    else write(client, String(data));
  });
  upstream.on('open', () => {
    for (const data of early.splice(0)) upstream.send(data);
  });
  for (const socket of [client, upstream]) socket.on('error', () => undefined);
  client.on('close', () => upstream.close());
  upstream.on('close', (code, reason) => {
    const [ownCode, ownReason] = meddling.onClose?.(code, String(reason)) ?? [code, String(reason)];
    // 1005 and 1006 cannot be sent.
    if (ownCode >= 1_000 && ownCode !== 1_005 && ownCode !== 1_006) client.close(ownCode, ownReason);
    else client.terminate();
  });
}

function frameOf(text: string): Frame | undefined {
  try {
    const frame = JSON.parse(text) as Frame | null;
    return typeof frame?.type === 'string' && typeof frame.payload === 'object' && frame.payload
      ? frame
      : undefined;
  } catch {
    return undefined;
  }
}
