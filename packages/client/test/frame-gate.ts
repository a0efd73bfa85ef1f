import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

/** A frame on its way, as much of it as tests look at. */
export type PassingFrame = {
  readonly id: string;
  readonly type: string;
  readonly payload: { readonly message_id?: number; readonly group_id?: number; readonly content?: string };
};

/**
 * What becomes of a frame: nothing said, it passes; `drop`: it is lost; `cut`: so is the connection; a text
 * replaces it.
 */
type Verdict = 'drop' | 'cut' | { readonly instead: object } | undefined;

/** A way to a gateway on which a test looks at every frame, and decides what becomes of it. */
export type FrameGate = {
  readonly url: string;
  /** Where the next connections lead. */
  target: string;
  /** Everything that clients sent so far, in order, on whichever connection. */
  readonly fromClients: readonly PassingFrame[];
  onClientFrame: (frame: PassingFrame) => Verdict;
  onServerFrame: (frame: PassingFrame) => Verdict;
  /** How many connections clients have made. */
  readonly connections: number;
  /** Refuses connections while true. */
  isShut: boolean;
  /** Says nothing to whoever connects while true, neither yes nor no. */
  isMute: boolean;
  /** How often somebody tried to connect. */
  readonly tries: number;
  /** Keeps what the server sends, as a slow way does, until `release`. */
  hold(): void;
  release(): void;
  /** Passes nothing on, on the connections that are open, and breaks none. */
  lose(): void;
  /** Closes all connections, as a server does. */
  close(code: number, reason?: string): void;
  end(): void;
};

export async function frameGate(target: string): Promise<FrameGate> {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    verifyClient(_, decide) {
      gate.tries += 1;
      if (!gate.isMute) decide(!gate.isShut);
    },
  });
  await once(server, 'listening');
  const fromClients: PassingFrame[] = [];
  let held: (() => void)[] | undefined;
  const lost = new WeakSet<WebSocket>();
  const gate = {
    target,
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v2`,
    fromClients,
    connections: 0,
    isShut: false,
    isMute: false,
    tries: 0,
    onClientFrame: (_frame: PassingFrame): Verdict => undefined,
    onServerFrame: (_frame: PassingFrame): Verdict => undefined,
    close(code: number, reason = '') {
      for (const near of server.clients) near.close(code, reason);
    },
    hold() {
      held ??= [];
    },
    release() {
      const passing = held ?? [];
      held = undefined;
      for (const pass of passing) pass();
    },
    lose() {
      for (const near of server.clients) lost.add(near);
    },
    end() {
      for (const near of server.clients) near.terminate();
      server.close();
    },
  };
  server.on('connection', (near) => {
    gate.connections += 1;
    const far = new WebSocket(gate.target);
    const waiting: string[] = [];
    const pass = (to: WebSocket, text: string, verdict: Verdict) => {
      if (verdict === 'cut') near.terminate();
      else if (verdict !== 'drop') to.send(verdict ? JSON.stringify(verdict.instead) : text);
    };
    const up = (text: string) => {
      if (lost.has(near)) return;
      const frame = JSON.parse(text) as PassingFrame;
      fromClients.push(frame);
      const verdict = gate.onClientFrame(frame);
      // A client is answered by the test itself.
      if (typeof verdict === 'object') pass(near, text, verdict);
      else pass(far, text, verdict);
    };
    near.on('message', (data) => {
      if (far.readyState === WebSocket.OPEN) up(String(data));
      else waiting.push(String(data));
    });
    far.on('open', () => waiting.splice(0).forEach(up));
    const down = (text: string) => {
      if (near.readyState !== WebSocket.OPEN || lost.has(near)) return;
      pass(near, text, gate.onServerFrame(JSON.parse(text) as PassingFrame));
    };
    far.on('message', (data) => {
      const text = String(data);
      if (held) held.push(() => down(text));
      else down(text);
    });
    near.on('close', () => far.terminate());
    far.on('close', (code, reason) => {
      if (code >= 1000 && code !== 1005 && code !== 1006) near.close(code, String(reason));
      else near.terminate();
    });
    for (const socket of [near, far]) socket.on('error', () => undefined);
  });
  return gate;
}
