import { FaultyWebSocketProxy } from '@hooligram/testkit/proxies';

/** How often one delivery is passed on: 1 is no fault. */
export type Copies = 0 | 1 | 2;

/** The fault comes no earlier than this delivery, and never at the first message of a group: its predecessor is known. */
const faultyFrom = 10;
const firstOfGroup = '00000000 ';

/** Stands between clients and a gateway, and passes everything on once, except one delivery. */
export async function proxyWithCopies(gatewayUrl: string, copies: Copies): Promise<FaultyWebSocketProxy> {
  let deliveries = 0;
  let isDone = false;
  return FaultyWebSocketProxy.start(gatewayUrl, {
    fromServer(frame, { toClient }) {
      const isDelivery = frame.type === 'MESSAGING_DELIVER_REQUEST';
      if (isDelivery) deliveries += 1;
      const isLater = isDelivery && !frame.payload.content?.startsWith(firstOfGroup);
      const isFaulty = !isDone && deliveries >= faultyFrom && isLater;
      isDone ||= isFaulty;
      for (let copy = 0; copy < (isFaulty ? copies : 1); copy += 1) toClient(frame);
    },
  });
}
