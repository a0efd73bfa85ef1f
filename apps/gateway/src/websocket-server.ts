import type { LoadedUws, uWS } from '@hooligram/uws';
import { ClientSocket, type SlowCause } from './client-socket.ts';
import { HandshakeRate } from './handshake-rate.ts';
import type { Closer } from './metrics.ts';
import type { SocketBuffers } from './socket-buffers.ts';

// Enums in the typings alone. A shared port has SO_REUSEPORT.
const sharedPort = 0;
const exclusivePort = 1;

/** That of RFC 6455, the only one that is spoken. */
const webSocketVersion = '13';

const unavailable = '503 Service Unavailable';

/** First letter of the topic that a socket has to itself. */
const ownTopic = 's';

/** What the gateway does with a socket. */
export type SocketOwner = {
  /** @param bytes memory that is only lent: dead after the call */
  onMessage(bytes: ArrayBuffer): void;
  onClose(): void;
};

type Connection = {
  readonly number: number;
  readonly address: string;
  owner: SocketOwner | undefined;
  socket?: ClientSocket;
};

export type ServeOptions = {
  /** Where clients connect; everything else gets a plain HTTP answer that says so. */
  readonly path: string;
  readonly frameBytesReadMax: number;
  readonly backpressureMaxBytes: number;
  readonly idleTimeoutSeconds: number;
  /** A header that a trusted proxy sets to the client's address. */
  readonly addressHeader: string | undefined;
  readonly handshakesPerSecondMax: number;
  onOpen(socket: ClientSocket): SocketOwner;
  /** A connection is closed because its client reads too slowly. */
  onSlow(cause: SlowCause): void;
  /** A handshake is refused because too many come. */
  onHandshakeRefused(): void;
  /** A handshake is refused, for whatever reason. */
  onUpgradeRefused(reason: 'rate' | 'stopping' | 'no websocket'): void;
  /** A connection has ended. */
  onClosed(code: number, by: Closer): void;
};

/** With `ClientSocket` all that knows uWebSockets.js (packages/uws loads it). */
export class WebSocketServer {
  readonly #uWS: LoadedUws['uWS'];
  readonly #app: uWS.TemplatedApp;
  readonly #buffers: SocketBuffers;
  readonly #listening: uWS.us_listen_socket[] = [];
  #connections = 0;
  #isStopping = false;
  /** While we close a socket uWS reports the topics that it leaves, and any use of it throws. */
  #isClosing = false;

  constructor({ uWS }: LoadedUws, buffers: SocketBuffers) {
    this.#buffers = buffers;
    this.#uWS = uWS;
    this.#app = uWS.App();
  }

  /** Sends one frame to every socket that joined the topic: one buffer for all, in C++. */
  readonly publish = (topic: string, frame: string | Uint8Array): void => {
    this.#app.publish(topic, frame);
    this.#buffers.onPublished(frame.length);
  };

  /** Says what happens to clients, once, before `listen`. */
  serve(options: ServeOptions): void {
    const { path, backpressureMaxBytes, onOpen, onSlow } = options;
    const rate = new HandshakeRate(options.handshakesPerSecondMax);
    const buffers = this.#buffers;
    const events = {
      onSlow,
      onBuffered: (bytes: number) => buffers.move(bytes),
      close: (close: () => void) => this.#close(close),
    };
    this.#app.ws<Connection>(path, {
      maxPayloadLength: options.frameBytesReadMax,
      maxBackpressure: backpressureMaxBytes,
      closeOnBackpressureLimit: true,
      idleTimeout: options.idleTimeoutSeconds,
      sendPingsAutomatically: true,
      compression: this.#uWS.DISABLED,
      upgrade: (response, request, context) => {
        const waitSeconds = rate.accept();
        if (waitSeconds === undefined) this.#upgrade(response, request, context, options);
        else {
          options.onHandshakeRefused();
          options.onUpgradeRefused('rate');
          refuse(response, request, unavailable, 'Too many connect at once. Connect again.\n', waitSeconds);
        }
      },
      open(ws) {
        const connection = ws.getUserData();
        // A socket that leaves its last topic loses what was published to it in the same tick; so it never does.
        ws.subscribe(`${ownTopic}${connection.number}`);
        connection.socket = new ClientSocket(ws, connection.address, events);
        connection.owner = onOpen(connection.socket);
        buffers.add(connection.socket);
      },
      message: (ws, bytes) => ws.getUserData().owner?.onMessage(bytes),
      drain: (ws) => ws.getUserData().socket?.onDrain(),
      // uWS itself closes a socket that leaves too much of a publication unread, and does not say so. But a socket that
      // it closes leaves its topics first, its own one too, and can still be asked then.
      subscription: (ws, topic, count, countBefore) => {
        if (this.#isClosing || count > countBefore) return;
        if (new Uint8Array(topic)[0] !== ownTopic.charCodeAt(0)) return;
        ws.getUserData().socket?.onClosing(backpressureMaxBytes);
      },
      close(ws, code) {
        const { socket, owner } = ws.getUserData();
        options.onClosed(code, closerOf(code, socket));
        if (socket) buffers.remove(socket);
        socket?.onClosed();
        owner?.onClose();
      },
    });
    this.#app.any('/*', (response, request) => {
      const status = request.getUrl() === path ? '426 Upgrade Required' : '404 Not Found';
      refuse(response, request, status, `This is a WebSocket server. Connect to ${path}.\n`);
    });
  }

  /**
   * @param host undefined for all addresses of the machine, of IPv4 and of IPv6 where it has that
   * @throws Error one clear line when the port is not free
   */
  listen(host: string | undefined, port: number, { isShared }: { isShared: boolean }): Promise<void> {
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

  /** Takes no more connections. */
  stopListening(): void {
    this.#isStopping = true;
    for (const socket of this.#listening.splice(0)) this.#uWS.us_listen_socket_close(socket);
  }

  #upgrade(
    response: uWS.HttpResponse,
    request: uWS.HttpRequest,
    context: uWS.us_socket_context_t,
    { addressHeader, onUpgradeRefused }: Pick<ServeOptions, 'addressHeader' | 'onUpgradeRefused'>,
  ): void {
    if (this.#isStopping) {
      onUpgradeRefused('stopping');
      refuse(response, request, unavailable, 'This gateway is stopping. Connect again.\n');
      return;
    }
    const fault = upgradeFault(request);
    if (fault) {
      onUpgradeRefused('no websocket');
      refuse(response, request, '426 Upgrade Required', fault);
      return;
    }
    this.#connections += 1;
    const connection: Connection = {
      number: this.#connections,
      address: addressOf(response, request, addressHeader),
      owner: undefined,
    };
    response.upgrade(
      connection,
      request.getHeader('sec-websocket-key'),
      request.getHeader('sec-websocket-protocol'),
      request.getHeader('sec-websocket-extensions'),
      context,
    );
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

/** @param retryAfterSeconds when the client should come back */
function refuse(
  response: uWS.HttpResponse,
  request: uWS.HttpRequest,
  status: string,
  text: string,
  retryAfterSeconds?: number,
): void {
  response.writeStatus(status);
  if (retryAfterSeconds !== undefined) response.writeHeader('Retry-After', String(retryAfterSeconds));
  if (status.startsWith('426')) {
    response.writeHeader('Upgrade', 'websocket').writeHeader('Sec-WebSocket-Version', webSocketVersion);
  }
  response.writeHeader('Content-Type', 'text/plain; charset=utf-8');
  // A client that asks with HEAD would take a body for the next response. (endWithoutBody ends the process of 20.30.)
  response.end(request.getMethod() === 'head' ? '' : text);
}

function addressOf(response: uWS.HttpResponse, request: uWS.HttpRequest, header: string | undefined): string {
  // A proxy appends what it saw; what stands before was sent by the client and may be anything.
  const named = header ? request.getHeader(header).split(',').at(-1)?.trim() : '';
  return named || Buffer.from(response.getRemoteAddressAsText()).toString();
}
