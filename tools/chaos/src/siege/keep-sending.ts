import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { ProtocolClient } from '@hooligram/protocol-client';

const unsentBytesMax = 256 * 1_024;
const framesATurn = 20;
const retryMs = 100;

/** Sends as fast as the server takes it, for ever; opens another connection when it is cut. */
export function keepSending(
  open: () => Promise<ProtocolClient>,
  send: (client: ProtocolClient) => void,
): void {
  const run = async () => {
    for (;;) {
      const client = await open().catch(() => undefined);
      if (client) await sendUntilClosed(client, send);
      await pause(retryMs);
    }
  };
  void run();
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
