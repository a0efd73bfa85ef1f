import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';

/** An address that leads to a server, and to another one later, as the address of a cluster does. */
export interface TcpRelay {
  /** A url with this address in the place of the server's. */
  urlOf(url: string): string;
  /** Cuts all connections; new ones lead there from now on. Undefined: nowhere. */
  lead(to: string | undefined): void;
  end(): void;
}

export async function tcpRelay(): Promise<TcpRelay> {
  const sockets = new Set<Socket>();
  let target: URL | undefined;
  const server = createServer((near) => {
    near.on('error', () => {});
    if (!target) {
      near.destroy();
      return;
    }
    const far = dial(Number(target.port), target.hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => {});
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  function lead(to: string | undefined): void {
    target = to === undefined ? undefined : new URL(to);
    for (const socket of sockets) socket.destroy();
  }
  return {
    urlOf(url) {
      const relayed = new URL(url);
      relayed.hostname = '127.0.0.1';
      relayed.port = String(port);
      return relayed.href;
    },
    lead,
    end() {
      lead(undefined);
      server.close();
    },
  };
}
