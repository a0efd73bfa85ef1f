import type { LoadedUws, uWS } from '@hooligram/uws';

// Type-only enums in the typings. A shared port has SO_REUSEPORT.
const sharedPort = 0;
const exclusivePort = 1;

/** That of RFC 6455, the only one that is spoken. */
const webSocketVersion = '13';

/** First letter of the topic that a socket has to itself. */
const ownTopic = 's';

let isClosedByUs = false;

/** While we close a socket uWS tells us of the topics that it leaves, and any use of it throws. */
function byUs(close: () => void): void {
  isClosedByUs = true;
  try {
    close();
  } finally {
    isClosedByUs = false;
  }
}

/** One client's socket. All methods do nothing once it is closed, so nobody needs to ask first. */
export class ClientSocket {
  readonly address: string;
  readonly #ws: uWS.WebSocket<Connection>;
  readonly #onSlow: () => void;
  #later: string[] = [];
  #drained: (() => void)[] = [];
  #isOpen = true;

  constructor(ws: uWS.WebSocket<Connection>, onSlow: () => void) {
    this.#ws = ws;
    this.#onSlow = onSlow;
    this.address = ws.getUserData().address;
    // A socket that leaves its last topic loses what was published to it in the same turn; so it never does.
    ws.subscribe(`${ownTopic}${ws.getUserData().number}`);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whether the client has not read all that was sent. */
  get isBehind(): boolean {
    return this.#isOpen && this.#ws.getBufferedAmount() > 0;
  }

  /** Sends frames now, in order, in one system call. */
  send(...frames: readonly (string | Uint8Array)[]): void {
    if (!this.#isOpen) return;
    const queued = this.#later;
    this.#later = [];
    this.#ws.cork(() => {
      for (const frame of queued) this.#write(frame);
      for (const frame of frames) this.#write(frame);
    });
  }

  /** Sends a frame with the others of this turn. Never overtakes nor is overtaken by `send`. */
  sendLater(frame: string): void {
    if (!this.#isOpen) return;
    if (this.#later.push(frame) === 1) queueMicrotask(() => this.#later.length > 0 && this.send());
  }

  /** Joins a topic behind everything that was sent so far. */
  join(topic: string): void {
    if (!this.#isOpen) return;
    if (this.#later.length > 0) this.send();
    if (this.#isOpen) this.#ws.subscribe(topic);
  }

  leave(topic: string): void {
    if (this.#isOpen) this.#ws.unsubscribe(topic);
  }

  /** Closes with a code and a reason, behind everything that was sent so far. */
  end({ code, reason }: { code: number; reason: string }): void {
    if (!this.#isOpen) return;
    if (this.#later.length > 0) this.send();
    if (!this.#isOpen) return;
    this.#isOpen = false;
    byUs(() => this.#ws.end(code, reason));
  }

  /** Resolves when nothing waits to be read by the client, or the socket is closed. */
  async drained(): Promise<void> {
    while (this.isBehind) {
      await new Promise<void>((resolve) => this.#drained.push(resolve));
    }
  }

  /** For the server below only. */
  markDrained(): void {
    const waiting = this.#drained;
    this.#drained = [];
    for (const resume of waiting) resume();
  }

  /** For the server below only: it left its own topic. */
  markLeaving(unreadMaxBytes: number): void {
    if (!this.#isOpen || this.#ws.getBufferedAmount() <= unreadMaxBytes) return;
    this.#isOpen = false;
    this.#onSlow();
  }

  /** For the server below only. */
  markClosed(): void {
    this.#isOpen = false;
    this.#later = [];
    this.markDrained();
  }

  #write(frame: string | Uint8Array): void {
    // 1 is sent, 0 is buffered and will be sent, 2 is dropped: a hole, which only a new connection can close.
    if (!this.#isOpen || this.#ws.send(frame) !== 2) return;
    this.#isOpen = false;
    this.#onSlow();
    byUs(() => this.#ws.close());
  }
}

type Connection = {
  readonly number: number;
  readonly address: string;
  owner: SocketOwner | undefined;
  socket?: ClientSocket;
};

/** What the gateway does with a socket. */
export type SocketOwner = {
  /** @param bytes memory that is only lent: dead after the call */
  onMessage(bytes: ArrayBuffer): void;
  onClose(): void;
};

export type WebSocketServer = {
  /**
   * @param host undefined for all addresses of the machine, of IPv4 and of IPv6 where it has that
   * @throws Error one clear line when the port cannot be had
   */
  listen(host: string | undefined, port: number, options: { isShared: boolean }): Promise<void>;
  /** Sends one frame to every socket that joined the topic: one buffer for all, in C++. */
  publish(topic: string, frame: string | Uint8Array): void;
  /** Takes no more connections. */
  stopListening(): void;
};

/**
 * The one file that knows uWebSockets.js (packages/uws loads it).
 *
 * @param path where clients connect; everything else gets a plain HTTP answer that says so
 * @param addressHeader a header that a trusted proxy sets to the client's address
 * @param onSlow called when a connection is closed because its client reads too slowly
 */
export function createWebSocketServer(options: {
  uws: LoadedUws;
  path: string;
  frameBytesReadMax: number;
  backpressureMaxBytes: number;
  idleTimeoutSeconds: number;
  addressHeader: string | undefined;
  onOpen(socket: ClientSocket): SocketOwner;
  onSlow(): void;
}): WebSocketServer {
  const { uWS } = options.uws;
  const app = uWS.App();
  const listening: uWS.us_listen_socket[] = [];
  let connections = 0;
  let isStopping = false;

  app.ws<Connection>(options.path, {
    maxPayloadLength: options.frameBytesReadMax,
    maxBackpressure: options.backpressureMaxBytes,
    closeOnBackpressureLimit: true,
    idleTimeout: options.idleTimeoutSeconds,
    sendPingsAutomatically: true,
    compression: uWS.DISABLED,
    upgrade(response, request, context) {
      if (isStopping) {
        refuse(response, request, '503 Service Unavailable', 'This gateway is stopping. Connect again.\n');
        return;
      }
      const fault = upgradeFault(request);
      if (fault) {
        refuse(response, request, '426 Upgrade Required', fault);
        return;
      }
      connections += 1;
      const connection: Connection = {
        number: connections,
        address: addressOf(response, request, options.addressHeader),
        owner: undefined,
      };
      response.upgrade(
        connection,
        request.getHeader('sec-websocket-key'),
        request.getHeader('sec-websocket-protocol'),
        request.getHeader('sec-websocket-extensions'),
        context,
      );
    },
    open(ws) {
      const connection = ws.getUserData();
      connection.socket = new ClientSocket(ws, options.onSlow);
      connection.owner = options.onOpen(connection.socket);
    },
    message: (ws, bytes) => ws.getUserData().owner?.onMessage(bytes),
    drain: (ws) => ws.getUserData().socket?.markDrained(),
    // uWS itself closes who leaves too much of a publication unread, and does not say so. But a socket that it
    // closes leaves its topics first, its own one too, and can still be asked then.
    subscription(ws, topic, count, countBefore) {
      if (isClosedByUs || count > countBefore) return;
      if (new Uint8Array(topic)[0] !== ownTopic.charCodeAt(0)) return;
      ws.getUserData().socket?.markLeaving(options.backpressureMaxBytes);
    },
    close(ws) {
      const { socket, owner } = ws.getUserData();
      socket?.markClosed();
      owner?.onClose();
    },
  });
  app.any('/*', (response, request) => {
    const status = request.getUrl() === options.path ? '426 Upgrade Required' : '404 Not Found';
    refuse(response, request, status, `This is a WebSocket server. Connect to ${options.path}.\n`);
  });

  return {
    listen: (host, port, { isShared }) =>
      new Promise((resolve, reject) => {
        const taken = (socket: uWS.us_listen_socket | false) => {
          if (!socket) {
            const at =
              host === undefined ? `port ${port}` : `${host.includes(':') ? `[${host}]` : host}:${port}`;
            return reject(new Error(`cannot listen on ${at}: is the port in use?`));
          }
          listening.push(socket);
          resolve();
        };
        listen(app, host, port, isShared ? sharedPort : exclusivePort, taken);
      }),
    publish(topic, frame) {
      app.publish(topic, frame);
    },
    stopListening() {
      isStopping = true;
      for (const socket of listening.splice(0)) uWS.us_listen_socket_close(socket);
    },
  };
}

/** The typings do not know a host together with options; the binaries do. No host is all addresses of both families. */
function listen(
  app: uWS.TemplatedApp,
  host: string | undefined,
  port: number,
  options: number,
  taken: (socket: uWS.us_listen_socket | false) => void,
): void {
  if (host === undefined) {
    app.listen(port, options, taken);
    return;
  }
  const listenOn = app.listen as unknown as (
    this: uWS.TemplatedApp,
    host: string,
    port: number,
    options: number,
    callback: (socket: uWS.us_listen_socket | false) => void,
  ) => void;
  listenOn.call(app, host, port, options, taken);
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

function refuse(response: uWS.HttpResponse, request: uWS.HttpRequest, status: string, text: string): void {
  response.writeStatus(status);
  if (status.startsWith('426')) {
    response.writeHeader('Upgrade', 'websocket').writeHeader('Sec-WebSocket-Version', webSocketVersion);
  }
  response.writeHeader('Content-Type', 'text/plain; charset=utf-8');
  // Whoever asks with HEAD would take a body for the next response. (endWithoutBody ends the process of 20.30.)
  response.end(request.getMethod() === 'head' ? '' : text);
}

function addressOf(response: uWS.HttpResponse, request: uWS.HttpRequest, header: string | undefined): string {
  // A proxy appends what it saw; what stands before was sent by the client and may be anything.
  const named = header ? request.getHeader(header).split(',').at(-1)?.trim() : '';
  return named || Buffer.from(response.getRemoteAddressAsText()).toString();
}
