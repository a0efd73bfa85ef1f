import { networkOf } from '@hooligram/service';
import type { LoadedUws, uWS } from '@hooligram/uws';
import { isAllowedOrigin } from './allowed-origins.ts';
import type { TrustedProxies } from './client-address.ts';
import { bytesOf, ClientSocket, type Frame, gatheredBytesMax, type SlowCause } from './client-socket.ts';
import { Handshake, stoppingText } from './handshake.ts';
import type { HandshakeLine } from './handshake-line.ts';
import type { Closer, UpgradeRefusal } from './metrics.ts';
import { refuse, unavailable, webSocketVersion } from './refuse.ts';
import type { SocketBuffers } from './socket-buffers.ts';
import type { TlsFiles } from './tls.ts';

// Enums in the typings alone. A shared port has SO_REUSEPORT.
const sharedPort = 0;
const exclusivePort = 1;

/** A topic that all sockets are on, and nothing is published on. The names of all others are longer. */
const everybody = 's';

/** What the gateway does with a socket. */
export type SocketOwner = {
  /** @param bytes memory that is only lent: dead after the call */
  onMessage(bytes: ArrayBuffer): void;
  onClose(): void;
};

type Connection = {
  readonly address: string;
  owner: SocketOwner | undefined;
  socket: ClientSocket | undefined;
};

type Place = { readonly host: string | undefined; readonly port: number; readonly isShared: boolean };
/** How a handshake is refused: its client learns when to come back, and its connection is closed at once. */
export type HandshakeRefusal = {
  readonly reason: UpgradeRefusal;
  readonly status: '429 Too Many Requests' | '503 Service Unavailable';
  readonly text: string;
  readonly retryAfterSeconds: number;
};

export type ServeOptions = {
  /** Where clients connect; everything else gets a plain HTTP answer that says so. */
  readonly path: string;
  readonly frameBytesReadMax: number;
  readonly backpressureMaxBytes: number;
  readonly idleTimeoutSeconds: number;
  readonly trustedProxies: TrustedProxies;
  /** Which web pages may connect: see `isAllowedOrigin`. */
  readonly allowedOrigins: readonly string[];
  /** Where sound handshakes wait when very many come at once. */
  readonly handshakes: HandshakeLine;
  onOpen(socket: ClientSocket): SocketOwner;
  /** A connection is closed because its client reads too slowly. */
  onSlow(cause: SlowCause, address: string): void;
  /** Whether one more connection from an address is refused, before it is opened. */
  refusalOf(address: string): HandshakeRefusal | undefined;
  /** How long one more connection from an address that is not refused has to wait. */
  delayMsOf(address: string): number;
  /** Somebody who is no trusted proxy says for whom they connect: it is ignored. */
  onForwardedIgnored(peer: string): void;
  /** A handshake is refused, for whatever reason: a page's origin, or that the gateway or its line has no room for a network. */
  onUpgradeRefused(
    reason: UpgradeRefusal,
    detail?: { readonly origin?: string; readonly source?: string },
  ): void;
  /** A connection has ended. */
  onClosed(code: number, by: Closer): void;
};

/** With `ClientSocket` and `Handshake` all that knows uWebSockets.js (packages/uws loads it). */
export class WebSocketServer {
  readonly #uWS: LoadedUws['uWS'];
  readonly #tls: TlsFiles | undefined;
  readonly #buffers: SocketBuffers;
  readonly #listening: uWS.us_listen_socket[] = [];
  /** Where it listens, also while that is paused. */
  readonly #places: Place[] = [];
  /** Takes new connections. */
  #app: uWS.TemplatedApp;
  /** How many connections each has: that one, and those under a certificate from before that still have some. */
  readonly #apps = new Map<uWS.TemplatedApp, number>();
  /** What was published on each topic in this turn of the event loop: it leaves at its end. */
  readonly #publishedBytes = new Map<string, number>();
  readonly #endTurn = () => this.#publishedBytes.clear();
  #route: (app: uWS.TemplatedApp) => void = () => {};
  #refuseWaiting = () => {};
  #isStopping = false;
  /** While we close a socket uWS reports the topics that it leaves, and any use of it throws. */
  #isClosing = false;

  /** @param tls without it connections are plain */
  constructor({ uWS }: LoadedUws, buffers: SocketBuffers, tls?: TlsFiles) {
    this.#buffers = buffers;
    this.#uWS = uWS;
    this.#tls = tls;
    this.#app = this.#createApp();
    this.#count(this.#app, 0);
  }

  /**
   * Sends one frame to every socket that joined the topic: one buffer for all, in C++.
   * @returns false if that would be more in this turn of the event loop than is gathered for a system call: then each of these
   *   sockets has to be sent the frame, which sends what was published before, too
   */
  readonly publish = (topic: string, frame: Frame): boolean => {
    const bytes = (this.#publishedBytes.get(topic) ?? 0) + bytesOf(frame);
    if (bytes >= gatheredBytesMax) {
      this.#publishedBytes.delete(topic);
      return false;
    }
    if (this.#publishedBytes.size === 0) setImmediate(this.#endTurn);
    this.#publishedBytes.set(topic, bytes);
    if (this.#apps.size > 1) for (const app of this.#apps.keys()) app.publish(topic, frame);
    else this.#app.publish(topic, frame);
    this.#buffers.onPublished(frame.length);
    return true;
  };

  /** Says what happens to clients, once, before `listen`. */
  serve(options: ServeOptions): void {
    this.#route = (app) => this.#serveOn(app, options);
    this.#refuseWaiting = () => options.handshakes.close();
    this.#route(this.#app);
  }

  #serveOn(app: uWS.TemplatedApp, options: ServeOptions): void {
    const { path, backpressureMaxBytes, handshakes, onOpen, onSlow } = options;
    const buffers = this.#buffers;
    const events = {
      onSlow,
      onBuffered: (socket: ClientSocket, bytes: number) => buffers.move(socket, bytes),
      close: (close: () => void) => this.#close(close),
    };
    const owner = {
      connect: (address: string): Connection => ({ address, owner: undefined, socket: undefined }),
      onRefused: options.onUpgradeRefused,
    };
    app.ws<Connection>(path, {
      maxPayloadLength: options.frameBytesReadMax,
      maxBackpressure: backpressureMaxBytes,
      closeOnBackpressureLimit: true,
      idleTimeout: options.idleTimeoutSeconds,
      sendPingsAutomatically: true,
      compression: this.#uWS.DISABLED,
      upgrade: (response, request, context) => {
        const address = this.#soundAddressOf(response, request, options);
        if (address === undefined) return;
        const handshake = new Handshake(owner, response, request, { context, address });
        const delayMs = options.delayMsOf(address);
        if (delayMs === 0 && handshakes.passes()) handshake.upgrade();
        else {
          handshake.hold(() => handshakes.leave(handshake));
          if (delayMs > 0) handshakes.delay(handshake, delayMs);
          else handshakes.enter(handshake);
        }
      },
      open: (ws) => {
        const connection = ws.getUserData();
        this.#count(app, 1);
        // A socket that leaves its last topic loses what was published to it in the same tick; so it never does.
        ws.subscribe(everybody);
        connection.socket = new ClientSocket(ws, connection.address, events);
        connection.owner = onOpen(connection.socket);
        buffers.add(connection.socket);
      },
      message: (ws, bytes) => ws.getUserData().owner?.onMessage(bytes),
      drain: (ws) => ws.getUserData().socket?.onDrain(),
      // uWS itself closes a socket that leaves too much of a publication unread, and does not say so. But a socket that
      // it closes leaves its topics first, also the one of all, and can still be asked then.
      subscription: (ws, topic, count, countBefore) => {
        if (this.#isClosing || count > countBefore) return;
        if (topic.byteLength !== everybody.length) return;
        ws.getUserData().socket?.onClosing(backpressureMaxBytes);
      },
      close: (ws, code) => {
        const { socket, owner } = ws.getUserData();
        options.onClosed(code, closerOf(code, socket));
        if (socket) buffers.remove(socket);
        socket?.onClosed();
        owner?.onClose();
        this.#count(app, -1);
      },
    });
    app.any('/*', (response, request) => {
      const status = request.getUrl() === path ? '426 Upgrade Required' : '404 Not Found';
      const isHead = request.getMethod() === 'head';
      refuse(response, status, `This is a WebSocket server. Connect to ${path}.\n`, { isHead });
    });
  }

  /**
   * @param host undefined for all addresses of the machine, of IPv4 and of IPv6 where it has that
   * @throws Error one clear line when the port is not free
   */
  async listen(host: string | undefined, port: number, { isShared }: { isShared: boolean }): Promise<void> {
    const place = { host, port, isShared };
    await this.#listen(place);
    this.#places.push(place);
  }

  /**
   * Has new connections come under what the files for TLS hold now. Those that are being made at this moment may break.
   * @throws Error when the files cannot be used; all is as before then
   */
  async renewTls(): Promise<void> {
    const app = this.#createApp();
    this.#route(app);
    const before = this.#app;
    this.#app = app;
    this.#count(app, 0);
    this.#count(before, 0);
    const listening = this.#listening.splice(0);
    // A port that is not shared has to be free first.
    for (const socket of listening) this.#uWS.us_listen_socket_close(socket);
    for (const place of this.#places) await this.#listen(place);
  }

  #count(app: uWS.TemplatedApp, more: number): void {
    const connections = (this.#apps.get(app) ?? 0) + more;
    if (connections === 0 && app !== this.#app) this.#apps.delete(app);
    else this.#apps.set(app, connections);
  }

  #createApp(): uWS.TemplatedApp {
    if (!this.#tls) return this.#uWS.App();
    const { certFile, keyFile } = this.#tls;
    return this.#uWS.SSLApp({ cert_file_name: certFile, key_file_name: keyFile });
  }

  #listen({ host, port, isShared }: Place): Promise<void> {
    return new Promise((resolve, reject) => {
      const onListening = (socket: uWS.us_listen_socket | false) => {
        if (!socket) {
          const at =
            host === undefined ? `port ${port}` : `${host.includes(':') ? `[${host}]` : host}:${port}`;
          return reject(new Error(`cannot listen on ${at}: is the port in use?`));
        }
        this.#listening.push(socket);
        resolve();
      };
      listen(this.#app, host, port, isShared ? sharedPort : exclusivePort, onListening);
    });
  }

  /** Takes no more connections, and refuses those that wait. */
  stopListening(): void {
    this.#isStopping = true;
    this.pauseListening();
    this.#refuseWaiting();
  }

  /** Listens again where it did. Where that fails, it is not tried again. */
  resumeListening(): void {
    if (this.#isStopping) return;
    for (const place of this.#places) void this.#listen(place).catch(() => {});
  }

  /** Takes no connections until `resumeListening`. */
  pauseListening(): void {
    for (const socket of this.#listening.splice(0)) this.#uWS.us_listen_socket_close(socket);
  }

  /** Refuses what is no handshake or may not be one. @returns the address of the client of one that is sound */
  #soundAddressOf(
    response: uWS.HttpResponse,
    request: uWS.HttpRequest,
    options: ServeOptions,
  ): string | undefined {
    if (this.#isStopping) {
      options.onUpgradeRefused('stopping');
      refuse(response, unavailable, stoppingText);
      return;
    }
    const fault = upgradeFault(request);
    if (fault) {
      options.onUpgradeRefused('no websocket');
      refuse(response, '426 Upgrade Required', fault);
      return;
    }
    const headers = readHeaders(request);
    if (headers.fault) {
      options.onUpgradeRefused('headers');
      refuse(response, '400 Bad Request', headers.fault);
      return;
    }
    const origin = request.getHeader('origin');
    if (!isAllowedOrigin(options.allowedOrigins, origin, request.getHeader('host'))) {
      options.onUpgradeRefused('origin', { origin });
      refuse(response, '403 Forbidden', 'No page of this origin may connect (ALLOWED_ORIGINS).\n');
      return;
    }
    const address = addressOf(response, headers.forwarded, options);
    const refusal = options.refusalOf(address);
    if (!refusal) return address;
    const { reason, status, text, retryAfterSeconds } = refusal;
    options.onUpgradeRefused(reason, reason === 'full' ? { source: networkOf(address) } : undefined);
    refuse(response, status, text, { retryAfterSeconds, isClosing: true });
  }

  #close(close: () => void): void {
    this.#isClosing = true;
    try {
      close();
    } finally {
      this.#isClosing = false;
    }
  }
}

/** A socket that is open until its end was not ended here. Without a close frame of the other side the code is 1006. */
function closerOf(code: number, socket: ClientSocket | undefined): Closer {
  if (socket && !socket.isOpen) return 'gateway';
  return code === 1006 ? 'lost' : 'client';
}

/** The typings do not know a host together with options; the binaries do. No host is all addresses of both families. */
function listen(
  app: uWS.TemplatedApp,
  host: string | undefined,
  port: number,
  options: number,
  onListening: (socket: uWS.us_listen_socket | false) => void,
): void {
  if (host === undefined) {
    app.listen(port, options, onListening);
    return;
  }
  const listenOn = app.listen as unknown as (
    this: uWS.TemplatedApp,
    host: string,
    port: number,
    options: number,
    callback: (socket: uWS.us_listen_socket | false) => void,
  ) => void;
  listenOn.call(app, host, port, options, onListening);
}

/** Why the upgrade that a request asks for is refused; undefined if it is not. The library looks at the key alone. */
function upgradeFault(request: uWS.HttpRequest): string | undefined {
  if (!/(^|,)\s*websocket\s*(,|$)/i.test(request.getHeader('upgrade'))) {
    return 'The header "Upgrade: websocket" is missing: does a proxy in between pass upgrades on?\n';
  }
  return request.getHeader('sec-websocket-version') === webSocketVersion
    ? undefined
    : `The header "Sec-WebSocket-Version: ${webSocketVersion}" is missing, or names another version.\n`;
}

/**
 * Reads what `getHeader` does not tell: it knows the first line of a header only, which is the client's own where a proxy
 * adds another one. A body, or a header twice that may come once, is how one request is made to look like two to a proxy;
 * 20.30 lets it pass.
 */
function readHeaders(request: uWS.HttpRequest): { forwarded: string[]; fault: string | undefined } {
  const forwarded: string[] = [];
  let hosts = 0;
  let isPlain = true;
  request.forEach((name, value) => {
    if (name === 'x-forwarded-for') forwarded.push(value);
    else if (name === 'host') hosts += 1;
    else if (name === 'transfer-encoding' || (name === 'content-length' && value !== '0')) isPlain = false;
  });
  const isGood = isPlain && hosts === 1;
  return { forwarded, fault: isGood ? undefined : 'An upgrade has one header "Host", and no body.\n' };
}

function addressOf(
  response: uWS.HttpResponse,
  forwarded: readonly string[],
  { trustedProxies, onForwardedIgnored }: ServeOptions,
): string {
  const peer = textOf(response.getRemoteAddressAsText());
  const proxied = textOf(response.getProxiedRemoteAddressAsText());
  if ((forwarded.length > 0 || proxied !== '') && !trustedProxies.trusts(peer)) onForwardedIgnored(peer);
  return trustedProxies.clientOf({ peer, proxied, forwarded });
}

function textOf(bytes: ArrayBuffer): string {
  return Buffer.from(bytes).toString();
}
