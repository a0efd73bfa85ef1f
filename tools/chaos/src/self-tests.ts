import type { Faults, PassingFrame } from '@hooligram/testkit/proxies';

/** One in so many deliveries, or messages on their way to the server, is tampered with, over all connections. */
const deliveriesEvery = 40;
const sendsEvery = 5;

const isMessage = ({ type }: PassingFrame) => type === 'MESSAGING_DELIVER_REQUEST';

let count = 0;

function isDue(every: number): boolean {
  count += 1;
  return count % every === 0;
}

/**
 * Ways to break a promise on purpose, by a proxy between one in eight clients and a gateway. The checker must find a
 * violation with each of them. `tamper` is called for each connection.
 */
export const selfTests = {
  'ack-before-client': {
    about: 'a delivery is acknowledged before the client has it, and then its connection breaks',
    tamper: (): Faults => ({
      fromServer: (frame, { toServer, toClient, cut }) => {
        if (!isMessage(frame) || !isDue(deliveriesEvery)) return toClient(frame);
        const { message_id } = frame.payload;
        toServer({ id: frame.id, type: 'MESSAGING_DELIVER_SUCCESS', payload: { message_id } });
        cut();
      },
    }),
  },
  'send-twice': {
    about: 'a message is sent twice, the second time with another UUID',
    tamper: (): Faults => ({
      fromClient: (frame, { toServer }) => {
        toServer(frame);
        if (frame.type === 'MESSAGING_SEND_REQUEST' && isDue(sendsEvery)) {
          toServer({ ...frame, id: crypto.randomUUID() });
        }
      },
    }),
  },
  'swap-deliveries': {
    about: 'two deliveries change places',
    tamper: (): Faults => {
      let held: PassingFrame | undefined;
      return {
        fromServer: (frame, { toClient }) => {
          if (isMessage(frame) && !held && isDue(deliveriesEvery)) {
            held = frame;
            return;
          }
          toClient(frame);
          if (!held || !isMessage(frame)) return;
          toClient(held);
          held = undefined;
        },
      };
    },
  },
  'alter-content': {
    about: 'a delivery has other content than was sent',
    tamper: (): Faults => ({
      fromServer: (frame, { toClient }) => {
        const payload = { ...frame.payload, content: `${frame.payload.content} ` };
        toClient(isMessage(frame) && isDue(deliveriesEvery) ? { ...frame, payload } : frame);
      },
    }),
  },
  'tell-strangers': {
    about: 'a delivery reaches a user of another group, too',
    tamper: (): Faults => ({
      fromServer: (frame, { toClient, toOthers }) => {
        toClient(frame);
        if (isMessage(frame) && isDue(deliveriesEvery)) toOthers(frame);
      },
    }),
  },
} as const satisfies Record<string, { readonly about: string; readonly tamper: () => Faults }>;

export type SelfTest = keyof typeof selfTests;

export const selfTestNames = Object.keys(selfTests) as SelfTest[];
