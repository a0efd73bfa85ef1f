import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

export type Middleman = { readonly url: string; stop(): Promise<void> };

/** How often one delivery is passed on: 1 is honest. */
export type Copies = 0 | 1 | 2;

/** From this delivery on, the first that is not its group's first message: what came before it is known then. */
const harmedFrom = 10;
const firstOfGroup = '"00000000 ';

/** Stands between clients and a gateway, and passes everything on but one delivery. */
export async function middleman(gatewayUrl: string, copies: Copies): Promise<Middleman> {
  let deliveries = 0;
  let isDone = false;
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  server.on('connection', (client) => {
    const upstream = new WebSocket(gatewayUrl, { perMessageDeflate: false });
    const isOpen = once(upstream, 'open');
    client.on('message', (data) => void isOpen.then(() => upstream.send(String(data))));
    client.on('close', () => upstream.terminate());
    upstream.on('error', () => undefined);
    upstream.on('message', (data) => {
      const text = String(data);
      if (text.includes('MESSAGING_DELIVER_REQUEST')) deliveries += 1;
      const isHarmed =
        !isDone &&
        deliveries >= harmedFrom &&
        text.includes('MESSAGING_DELIVER_REQUEST') &&
        !text.includes(firstOfGroup);
      isDone ||= isHarmed;
      for (let copy = 0; copy < (isHarmed ? copies : 1); copy += 1) client.send(text);
    });
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}/v2`,
    async stop() {
      for (const client of server.clients) client.terminate();
      server.close();
      await once(server, 'close');
    },
  };
}
