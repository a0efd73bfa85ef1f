import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { ReceivedFrame } from '@hooligram/protocol-client';
import { type RawData, WebSocket, WebSocketServer } from 'ws';

/** A frame on its way, of the client or of the server. */
export type PassingFrame = {
  readonly id: string;
  readonly type: string;
  readonly payload: ReceivedFrame['payload'] & Readonly<Record<string, unknown>>;
};

/** One connection of a client, and what a fault can do with it. A frame is sent as JSON, a text as it is. */
export type ProxiedConnection = {
  toClient(message: object | string): void;
  toServer(message: object | string): void;
  /** To the clients of all other connections. */
  toOthers(message: object | string): void;
  /** Closes the client's connection. */
  close(code: number): void;
  /** Breaks the client's connection. What was sent to the server before still leaves. */
  cut(): void;
};

/** What is done with the frames of a connection. A frame of a direction without a function passes unchanged. */
export type Faults = {
  /** Passes the frame on, or another one, or none: what it does not pass on is lost. */
  readonly fromClient?: (frame: PassingFrame, connection: ProxiedConnection) => void;
  readonly fromServer?: (frame: PassingFrame, connection: ProxiedConnection) => void;
  /** Every message of a client, also one that is no frame. Return true to lose it. */
  readonly fromClientRaw?: (text: string, isBinary: boolean, connection: ProxiedConnection) => boolean;
  /** @returns code and reason with which the client's connection is closed in place of these */
  readonly onClose?: (code: number, reason: string) => [code: number, reason: string];
};

/** A WebSocket server between clients and a gateway, on a loopback port of its own. */
export class FaultyWebSocketProxy {
  /** Where the next connections lead. */
  target: string;
  /** Refuses connections while true. */
  isShut = false;
  /** Answers no handshake while true. */
  isMute = false;
  /** Breaks the connection to the server when a client closes its own, in place of closing it too. */
  breaksOnClose = false;
  /** How many connections clients tried to open, and how many they opened. */
  attempts = 0;
  connections = 0;
  readonly #server: WebSocketServer;
  readonly #faultsOf: () => Faults;
  readonly #lost = new WeakSet<WebSocket>();
  #held: (() => void)[] | undefined;
  #url = '';

  /** @param faults of all connections, or a function that makes those of each new connection */
  static async start(target: string, faults: Faults | (() => Faults) = {}): Promise<FaultyWebSocketProxy> {
    const proxy = new FaultyWebSocketProxy(target, typeof faults === 'function' ? faults : () => faults);
    await once(proxy.#server, 'listening');
    proxy.#url = `ws://127.0.0.1:${(proxy.#server.address() as AddressInfo).port}/v2`;
    return proxy;
  }

  private constructor(target: string, faultsOf: () => Faults) {
    this.target = target;
    this.#faultsOf = faultsOf;
    this.#server = new WebSocketServer({
      host: '127.0.0.1',
      port: 0,
      perMessageDeflate: false,
      verifyClient: (_, decide) => {
        this.attempts += 1;
        if (!this.isMute) decide(!this.isShut);
      },
    });
    this.#server.on('connection', (client) => {
      this.connections += 1;
      this.#relay(client, new WebSocket(this.target, { perMessageDeflate: false }), this.#faultsOf());
    });
  }

  get url(): string {
    return this.#url;
  }

  /** Keeps what servers send until `release`, as a slow network does. */
  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const passing = this.#held ?? [];
    this.#held = undefined;
    for (const pass of passing) pass();
  }

  /** Nothing passes any more on the connections that are open, and they stay open. */
  lose(): void {
    for (const client of this.#server.clients) this.#lost.add(client);
  }

  /** Closes all connections, as a server does. */
  close(code: number, reason = ''): void {
    for (const client of this.#server.clients) client.close(code, reason);
  }

  stop(): void {
    for (const client of this.#server.clients) client.terminate();
    this.#server.close();
  }

  #relay(client: WebSocket, server: WebSocket, faults: Faults): void {
    const connection = this.#connectionOf(client, server);
    const fromClient = (data: RawData, isBinary: boolean) => {
      if (this.#lost.has(client)) return;
      const text = String(data);
      if (faults.fromClientRaw?.(text, isBinary, connection)) return;
      const frame = isBinary ? undefined : frameOf(text);
      if (frame && faults.fromClient) faults.fromClient(frame, connection);
      else server.send(data, { binary: isBinary });
    };
    const fromServer = (text: string) => {
      if (client.readyState !== WebSocket.OPEN || this.#lost.has(client)) return;
      const frame = frameOf(text);
      if (frame && faults.fromServer) faults.fromServer(frame, connection);
      else connection.toClient(text);
    };
    const early: (() => void)[] = [];
    client.on('message', (data, isBinary) => {
      if (server.readyState === WebSocket.CONNECTING) early.push(() => fromClient(data, isBinary));
      else if (server.readyState === WebSocket.OPEN) fromClient(data, isBinary);
    });
    server.on('open', () => {
      for (const pass of early) pass();
    });
    server.on('message', (data) => {
      if (this.#held) this.#held.push(() => fromServer(String(data)));
      else fromServer(String(data));
    });
    for (const socket of [client, server]) socket.on('error', () => undefined);
    // A close frame leaves after what was sent before.
    client.on('close', () => (this.breaksOnClose ? server.terminate() : server.close()));
    server.on('close', (code, reason) => {
      const [ownCode, ownReason] = faults.onClose?.(code, String(reason)) ?? [code, String(reason)];
      // 1005 and 1006 cannot be sent.
      if (ownCode >= 1_000 && ownCode !== 1_005 && ownCode !== 1_006) client.close(ownCode, ownReason);
      else client.terminate();
    });
  }

  #connectionOf(client: WebSocket, server: WebSocket): ProxiedConnection {
    return {
      toClient: (message) => send(client, message),
      toServer: (message) => send(server, message),
      toOthers: (message) => {
        for (const other of this.#server.clients) if (other !== client) send(other, message);
      },
      close: (code) => client.close(code),
      cut: () => client.terminate(),
    };
  }
}

function send(socket: WebSocket, message: object | string): void {
  if (socket.readyState !== WebSocket.OPEN) return;
  socket.send(typeof message === 'string' ? message : JSON.stringify(message));
}

function frameOf(text: string): PassingFrame | undefined {
  try {
    const frame = JSON.parse(text) as PassingFrame | null;
    return typeof frame?.type === 'string' && typeof frame.payload === 'object' && frame.payload
      ? frame
      : undefined;
  } catch {
    return undefined;
  }
}
