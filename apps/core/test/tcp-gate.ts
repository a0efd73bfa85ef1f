import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';

/** A TCP way to somewhere, which a test closes and opens again. */
export type TcpGate = {
  /** The same url by this way. */
  readonly url: string;
  /** Breaks all connections and takes no new ones. */
  close(): void;
  open(): void;
  /** Keeps back whatever is sent with this text in it, and what follows on its connection, until it is let go. */
  hold(text: string): void;
  isHolding(): boolean;
  letGo(): void;
  end(): void;
};

export async function tcpGate(to: string): Promise<TcpGate> {
  const target = new URL(to);
  const sockets = new Set<Socket>();
  const held = new Set<Socket>();
  let heldText: string | undefined;
  let isOpen = true;
  const server = createServer((near) => {
    if (!isOpen) {
      near.destroy();
      return;
    }
    const far = dial(Number(target.port), target.hostname);
    // Hears of it before the pipe does.
    near.on('data', (bytes) => {
      if (heldText === undefined || held.has(far) || !bytes.includes(heldText)) return;
      held.add(far);
      far.cork();
    });
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
    hold(text) {
      heldText = text;
    },
    isHolding: () => held.size > 0,
    letGo() {
      heldText = undefined;
      for (const far of held) far.uncork();
      held.clear();
    },
    end() {
      close();
      server.close();
    },
  };
}
