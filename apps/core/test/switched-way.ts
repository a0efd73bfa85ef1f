import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';

/** An address that leads to one Redis, and later to another: what DNS or a proxy does. */
export type SwitchedWay = {
  readonly url: string;
  /** From now on new connections go to this port. Those that are open stay. */
  leadTo(port: number): void;
  close(): void;
};

export async function switchedWay(toPort: number): Promise<SwitchedWay> {
  const sockets = new Set<Socket>();
  let port = toPort;
  const server = createServer((near) => {
    const far = dial(port, '127.0.0.1');
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
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leadTo(next) {
      port = next;
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
