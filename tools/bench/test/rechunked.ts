import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** Somebody between client and server, on a port of their own. */
export type Between = { readonly port: number; stop(): Promise<void> };

/**
 * Passes the server's bytes on in pieces of so many, each in a turn of its own, so that the client reads it alone.
 * @param port the server's
 */
export async function rechunked(port: number, pieceBytes: number): Promise<Between> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port, host: '127.0.0.1', noDelay: true });
    client.pipe(upstream);
    let passed = Promise.resolve();
    upstream.on('data', (bytes: Buffer) => {
      passed = passed.then(() => inPieces(client, bytes, pieceBytes));
    });
    upstream.on('end', () => void passed.then(() => client.end()));
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function inPieces(client: Socket, bytes: Buffer, pieceBytes: number): Promise<void> {
  for (let from = 0; from < bytes.length; from += pieceBytes) {
    client.write(bytes.subarray(from, from + pieceBytes));
    await new Promise((resolve) => setImmediate(resolve));
  }
}
