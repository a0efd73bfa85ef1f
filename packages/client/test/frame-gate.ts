import { FaultyWebSocketProxy, type PassingFrame } from '@hooligram/testkit/proxies';

export type { PassingFrame } from '@hooligram/testkit/proxies';

/**
 * What becomes of a frame: undefined: it passes; `drop`: it is lost; `cut`: so is the connection; another frame: the
 * client is sent that one.
 */
type Outcome = 'drop' | 'cut' | { readonly instead: object } | undefined;

/** A faulty proxy before a gateway: a test looks at every frame, and decides what becomes of it. */
export type FrameGate = FaultyWebSocketProxy & {
  /** Every frame that clients sent so far, in order, on all connections. */
  readonly fromClients: readonly PassingFrame[];
  onClientFrame: (frame: PassingFrame) => Outcome;
  onServerFrame: (frame: PassingFrame) => Outcome;
};

export async function frameGate(target: string): Promise<FrameGate> {
  const fromClients: PassingFrame[] = [];
  const proxy = await FaultyWebSocketProxy.start(target, {
    fromClient(frame, { toClient, toServer, cut }) {
      fromClients.push(frame);
      const outcome = gate.onClientFrame(frame);
      if (outcome === 'cut') cut();
      else if (typeof outcome === 'object') toClient(outcome.instead);
      else if (outcome !== 'drop') toServer(frame);
    },
    fromServer(frame, { toClient, cut }) {
      const outcome = gate.onServerFrame(frame);
      if (outcome === 'cut') cut();
      else if (outcome !== 'drop') toClient(outcome ? outcome.instead : frame);
    },
  });
  proxy.breaksOnClose = true;
  const pass = (_frame: PassingFrame): Outcome => undefined;
  const gate: FrameGate = Object.assign(proxy, { fromClients, onClientFrame: pass, onServerFrame: pass });
  return gate;
}
