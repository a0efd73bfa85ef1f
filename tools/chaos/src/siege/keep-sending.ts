import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { ProtocolClient } from '@hooligram/protocol-client';

const unsentBytesMax = 256 * 1_024;
const framesATurn = 20;
const retryMs = 100;
const pingEveryMs = 1_000;

/** Sends as fast as the server takes it, for ever; opens another connection when it is cut. */
export function keepSending(
  open: () => Promise<ProtocolClient>,
  send: (client: ProtocolClient) => void,
): void {
  void keepOpen(open, (client) => sendUntilClosed(client, send));
}

/**
 * Keeps a connection, for ever; opens another one when it is cut.
 * @param begin what is done on each of them
 * @returns when the first one is open, or could not be opened
 */
export function keepOpen(
  open: () => Promise<ProtocolClient>,
  begin: (client: ProtocolClient) => Promise<void> | void,
): Promise<void> {
  return new Promise((resolve) => {
    const run = async () => {
      for (;;) {
        const client = await open().catch(() => undefined);
        const begun = client && begin(client);
        resolve();
        await begun;
        await client?.closed;
        await pause(retryMs);
      }
    };
    void run();
  });
}

/** Reads nothing any more. The end of a connection is noticed by writing to it: a ping is no frame. */
export function stopReading({ socket }: ProtocolClient): void {
  socket.pause();
  const timer = setInterval(() => socket.ping(), pingEveryMs);
  socket.once('close', () => clearInterval(timer));
}

async function sendUntilClosed(
  client: ProtocolClient,
  send: (client: ProtocolClient) => void,
): Promise<void> {
  const { socket } = client;
  while (socket.readyState === socket.OPEN) {
    for (let n = 0; n < framesATurn && socket.bufferedAmount < unsentBytesMax; n += 1) send(client);
    await nextTurn();
  }
}
