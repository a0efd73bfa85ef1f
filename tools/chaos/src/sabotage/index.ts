import type { Meddling } from './middleman.ts';

/** One in so many deliveries, or messages on their way to be stored, is meddled with, over all connections. */
const deliveriesEvery = 40;
const sendsEvery = 5;

type Frame = { id: string; type: string; payload: Record<string, unknown> };

const isMessage = ({ type }: Frame) => type === 'MESSAGING_DELIVER_REQUEST';
const acknowledgement = ({ id, payload }: Frame) =>
  JSON.stringify({ id, type: 'MESSAGING_DELIVER_SUCCESS', payload: { message_id: payload.message_id } });

let count = 0;

function isDue(every: number): boolean {
  count += 1;
  return count % every === 0;
}

/**
 * Ways to make the system break a promise on purpose: somebody in the middle between one in eight clients and a
 * gateway. Each of them has to turn the ledger's verdict.
 */
export const sabotages = {
  'ack-before-client': {
    about: 'a delivery is acknowledged before the client has it, and then its connection breaks',
    meddle: (): Meddling => ({
      fromServer: (frame, { toServer, toClient, cut }) => {
        if (!isMessage(frame) || !isDue(deliveriesEvery)) return toClient(JSON.stringify(frame));
        toServer(acknowledgement(frame));
        cut();
      },
    }),
  },
  'send-twice': {
    about: 'a message is sent twice, the second time with another UUID',
    meddle: (): Meddling => ({
      fromClient: (frame, { toServer }) => {
        toServer(JSON.stringify(frame));
        if (frame.type === 'MESSAGING_SEND_REQUEST' && isDue(sendsEvery)) {
          toServer(JSON.stringify({ ...frame, id: crypto.randomUUID() }));
        }
      },
    }),
  },
  'swap-deliveries': {
    about: 'two deliveries change places',
    meddle: (): Meddling => {
      let held: Frame | undefined;
      return {
        fromServer: (frame, { toClient }) => {
          if (isMessage(frame) && !held && isDue(deliveriesEvery)) {
            held = frame;
            return;
          }
          toClient(JSON.stringify(frame));
          if (!held || !isMessage(frame)) return;
          toClient(JSON.stringify(held));
          held = undefined;
        },
      };
    },
  },
  'alter-content': {
    about: 'a delivery says something else than was sent',
    meddle: (): Meddling => ({
      fromServer: (frame, { toClient }) => {
        const payload = { ...frame.payload, content: `${frame.payload.content} ` };
        toClient(JSON.stringify(isMessage(frame) && isDue(deliveriesEvery) ? { ...frame, payload } : frame));
      },
    }),
  },
  'tell-strangers': {
    about: 'a delivery reaches somebody of another group, too',
    meddle: (): Meddling => ({
      fromServer: (frame, { toClient, toOthers }) => {
        toClient(JSON.stringify(frame));
        if (isMessage(frame) && isDue(deliveriesEvery)) toOthers(JSON.stringify(frame));
      },
    }),
  },
} as const satisfies Record<string, { readonly about: string; readonly meddle: () => Meddling }>;

export type Sabotage = keyof typeof sabotages;

export function isSabotage(name: string): name is Sabotage {
  return Object.hasOwn(sabotages, name);
}
