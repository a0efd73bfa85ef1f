import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';

/** A proxy before the gateways, as a load balancer is one: each connection goes to the first gateway that accepts it. */
export type TcpProxy = {
  readonly url: string;
  /** Breaks all connections without a close frame and accepts no new ones. */
  cut(): void;
  /** Passes nothing on and breaks no connection, as when a network is left; new connections lead nowhere. */
  lose(): void;
  mend(): void;
  end(): void;
};

/** @param urls of the gateways, in the order in which they are tried */
export async function proxyTo(urls: readonly string[]): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const stranded = new Set<Socket>();
  let isCut = false;
  let isLost = false;
  const server = createServer(async (near) => {
    if (isCut) return near.destroy();
    near.on('error', () => undefined);
    if (isLost) return void stranded.add(near);
    const far = await firstOpen(urls.map((url) => Number(new URL(url).port)));
    if (!far || isCut || near.destroyed) {
      far?.destroy();
      return near.destroy();
    }
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    isCut = true;
    for (const socket of [...sockets, ...stranded]) socket.destroy();
  };
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v2`,
    cut,
    lose() {
      isLost = true;
      for (const socket of sockets) socket.unpipe().resume();
    },
    mend() {
      isCut = false;
      isLost = false;
      for (const socket of stranded) socket.destroy();
    },
    end() {
      cut();
      server.close();
    },
  };
}

async function firstOpen(ports: readonly number[]): Promise<Socket | undefined> {
  for (const port of ports) {
    const socket = dial(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return socket;
    } catch {
      // The next one.
    }
  }
  return undefined;
}

/** A server that nobody should connect to. */
export async function startStranger() {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v2`,
    connections: () => connections,
    end: () => server.close(),
  };
}
