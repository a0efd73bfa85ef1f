import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** A link from the server to the client: how much of it passes in a second, and how long each byte takes. */
type Link = { readonly bytesPerSecond: number; readonly delayMs: number };

type FaultyTcpProxyOptions = {
  /** Passes what the server sends on in pieces of so many bytes, each read alone by the client. */
  readonly pieceBytes?: number;
  /** Passes it over such a link. The server feels it: no more is read from it than the link can take. */
  readonly link?: Link;
};

/**
 * An address that leads to a server, with the faults that a test asks for: connections that break, an address that leads
 * to another server later, bytes that are held back, come in pieces or over a slow link.
 */
export class FaultyTcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #held = new Set<Socket>();
  readonly #options: FaultyTcpProxyOptions;
  #target: URL | undefined;
  #isOpen = false;
  #port = 0;
  #heldText: string | undefined;

  /** @param target url of the server; without it, connections are refused until `open` */
  static async start(target?: string, options: FaultyTcpProxyOptions = {}): Promise<FaultyTcpProxy> {
    const proxy = new FaultyTcpProxy(target, options);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    proxy.#port = (proxy.#server.address() as AddressInfo).port;
    return proxy;
  }

  private constructor(target: string | undefined, options: FaultyTcpProxyOptions) {
    if (target !== undefined) this.open(target);
    this.#options = options;
    this.#server = createServer({ noDelay: true }, (client) => this.#accept(client));
  }

  get port(): number {
    return this.#port;
  }

  /** A url of the server with the proxy's address in place of the server's. */
  urlOf(url: string): string {
    const proxied = new URL(url);
    proxied.hostname = '127.0.0.1';
    proxied.port = String(this.#port);
    return proxied.href;
  }

  /** Breaks all connections, and refuses new ones until `open`. */
  close(): void {
    this.#isOpen = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Takes new connections. Those that are open stay. @param target where the new ones lead. Default: as before */
  open(target?: string): void {
    this.#isOpen = true;
    if (target !== undefined) this.#target = new URL(target);
  }

  /** Holds back what clients send with this text in it, and what follows on the same connection, until `release`. */
  hold(text: string): void {
    this.#heldText = text;
  }

  isHolding(): boolean {
    return this.#held.size > 0;
  }

  release(): void {
    this.#heldText = undefined;
    for (const server of this.#held) server.uncork();
    this.#held.clear();
  }

  async stop(): Promise<void> {
    this.close();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    client.on('error', () => undefined);
    if (!this.#isOpen || !this.#target) {
      client.destroy();
      return;
    }
    const { port, hostname } = this.#target;
    const server = dial({ port: Number(port), host: hostname, noDelay: true });
    // Before the pipe, whose write must find the socket corked.
    client.on('data', (bytes) => this.#holdBack(bytes, server));
    client.pipe(server);
    this.#track(client, () => server.destroy());
    const { pieceBytes, link } = this.#options;
    if (pieceBytes === undefined && link === undefined) {
      server.pipe(client);
      this.#track(server, () => client.destroy());
      return;
    }
    const passed = link ? passSlowly(server, client, link) : passInPieces(server, client, pieceBytes ?? 1);
    this.#track(server, () => void passed().then(() => client.end()));
  }

  #holdBack(bytes: Buffer, server: Socket): void {
    if (this.#heldText === undefined || this.#held.has(server) || !bytes.includes(this.#heldText)) return;
    this.#held.add(server);
    server.cork();
  }

  #track(socket: Socket, onClose: () => void): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      onClose();
    });
  }
}

/** @returns a function whose promise resolves when everything read so far was passed on */
function passInPieces(from: Socket, to: Socket, pieceBytes: number): () => Promise<void> {
  let passed = Promise.resolve();
  from.on('data', (bytes: Buffer) => {
    passed = passed.then(async () => {
      for (let start = 0; start < bytes.length; start += pieceBytes) {
        to.write(bytes.subarray(start, start + pieceBytes));
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
  });
  return () => passed;
}

/** The same over a slow link. */
function passSlowly(from: Socket, to: Socket, { bytesPerSecond, delayMs }: Link): () => Promise<void> {
  let passed = Promise.resolve();
  from.on('data', (bytes: Buffer) => {
    from.pause();
    passed = wait((bytes.length / bytesPerSecond) * 1_000).then(() => {
      from.resume();
      void wait(delayMs).then(() => to.write(bytes));
    });
  });
  return () => passed.then(() => wait(delayMs));
}
