import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';

/** A TCP way to somewhere, which a test closes and opens again. */
export type TcpGate = {
  /** The same url by this way. */
  readonly url: string;
  /** Breaks all connections and takes no new ones. */
  close(): void;
  open(): void;
  /** Keeps back what is sent there until it is let go. */
  hold(): void;
  letGo(): void;
  heldBytes(): number;
  end(): void;
};

export async function tcpGate(to: string): Promise<TcpGate> {
  const target = new URL(to);
  const sockets = new Set<Socket>();
  const fars = new Set<Socket>();
  let isHeld = false;
  let isOpen = true;
  const server = createServer((near) => {
    if (!isOpen) {
      near.destroy();
      return;
    }
    const far = dial(Number(target.port), target.hostname);
    fars.add(far);
    far.on('close', () => fars.delete(far));
    if (isHeld) far.cork();
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
  const url = new URL(to);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);

  const close = () => {
    isOpen = false;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: url.href,
    close,
    open() {
      isOpen = true;
    },
    hold() {
      isHeld = true;
      for (const far of fars) far.cork();
    },
    letGo() {
      if (!isHeld) return;
      isHeld = false;
      for (const far of fars) far.uncork();
    },
    heldBytes: () => [...fars].reduce((sum, far) => sum + far.writableLength, 0),
    end() {
      close();
      server.close();
    },
  };
}
