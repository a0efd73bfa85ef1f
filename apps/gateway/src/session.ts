import { randomUUID } from 'node:crypto';
import {
  type Acknowledgement,
  type BadFrame,
  type ClientRequestType,
  closeReasons,
  type DecodedFrame,
  decodeFrame,
  errorTexts,
  type FaultyRequest,
  failure,
  frameBytesMax,
  frameFailure,
  needsSignIn,
  readMessageAcknowledgement,
  type SoundRequest,
} from '@hooligram/protocol';
import type { GatewayContext } from './context.ts';
import { acknowledge, answer, runMaxOf } from './frames/index.ts';
import { acknowledgeMessage } from './frames/messaging-deliver.ts';
import { ReplayWindow } from './groups/replay-window.ts';
import { Attachment } from './groups/subscription.ts';
import type { Person } from './groups/users.ts';
import type { ClientSocket, SocketOwner } from './websocket-server.ts';

type QueuedRequest = SoundRequest | FaultyRequest;

/**
 * One connection: who it is, what it asked and waits for, which groups it is in.
 *
 * Requests are handled in the order in which they came. At most one run of them is at the core at a time, and
 * all of a run are of one kind; that is all that ordering needs, however many cores there are.
 */
export class Session implements SocketOwner {
  readonly socket: ClientSocket;
  person: Person | undefined;
  readonly attachments = new Map<number, Attachment>();
  /** Acknowledged messages that this gateway no longer knows, to be looked up together. */
  lateReceipts: Set<number> | undefined;
  /** How many replayed messages may be on their way. */
  readonly window: ReplayWindow;
  /** The newest sign-in whose groups were not all sent yet. */
  opening: object | undefined;
  /** The id of a keep-alive that is answered when they were: the newest, so that what waits is bounded. */
  keepAliveAfterGroups: string | undefined;
  readonly #context: GatewayContext;
  #queue: QueuedRequest[] = [];
  #isWorking = false;
  #isFinishing = false;
  #onIdle: (() => void) | undefined;
  #connectionId: string | undefined;
  #badFrameTimes: number[] | undefined;

  constructor(context: GatewayContext, socket: ClientSocket) {
    this.#context = context;
    this.socket = socket;
    this.window = new ReplayWindow(this, context.config.REPLAY_WINDOW);
  }

  /** Names the connection to the core: a code is submitted where it was asked for. */
  get connectionId(): string {
    this.#connectionId ??= randomUUID();
    return this.#connectionId;
  }

  onMessage(bytes: ArrayBuffer): void {
    const view = new Uint8Array(bytes);
    if (view.byteLength > frameBytesMax) {
      this.#takeTooLarge(view);
      return;
    }
    const messageId = readMessageAcknowledgement(view);
    if (messageId === undefined) this.#take(decodeFrame(view));
    else {
      this.#context.metrics.frame('MESSAGING_DELIVER_SUCCESS');
      acknowledgeMessage(this.#context, this, messageId);
    }
  }

  /**
   * Takes no more requests, forgets those that nobody has begun, and waits for the answers to the others.
   * @returns whether all of them came before the signal
   */
  async finish(outOfPatience: AbortSignal): Promise<boolean> {
    this.#isFinishing = true;
    this.#queue.length = 0;
    if (!this.#isWorking || outOfPatience.aborted) return !this.#isWorking;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      outOfPatience.addEventListener('abort', () => resolve(), { once: true });
    });
    return !this.#isWorking;
  }

  onClose(): void {
    this.#queue.length = 0;
    void this.signOut();
    this.window.wake();
  }

  /**
   * Takes the connection out of all groups, and its person off this connection, at once.
   * @returns when what the person acknowledged here is written
   */
  async signOut(): Promise<void> {
    for (const id of [...this.attachments.keys()]) this.detach(id);
    if (!this.person) return;
    this.#context.people.leave(this, this.person);
    this.person = undefined;
    if (this.#context.cursors.dirty > 0) await this.#context.cursors.flush();
  }

  /**
   * Begins to hold a group for this connection.
   * @param since what was stored after this is sent on this connection in any case
   */
  attach(groupId: number, since?: number): Attachment {
    const group = this.#context.groups.hold(this.#context, groupId);
    // What was acknowledged here by now, and is perhaps not written yet, came before.
    const here = (this.person && group.members.get(this.person.userId)?.deliveredSeq) ?? 0;
    const from = since === undefined ? undefined : Math.max(since, here);
    const attachment = new Attachment(this, group, from);
    group.attachments.add(attachment);
    this.attachments.set(groupId, attachment);
    return attachment;
  }

  detach(groupId: number): void {
    const attachment = this.attachments.get(groupId);
    if (!attachment) return;
    const { group } = attachment;
    group.enter(attachment, 'gone');
    group.attachments.delete(attachment);
    this.attachments.delete(groupId);
    const others = this.person ? this.#context.people.sessionsOf(this.person.userId) : [];
    if (this.person && !others.some(({ attachments }) => attachments.has(groupId))) {
      group.members.delete(this.person.userId);
    }
    this.#context.groups.release(group);
    // What was on its way in that group takes no room any more.
    this.window.wake();
  }

  #take(frame: DecodedFrame): void {
    const { metrics } = this.#context;
    if (frame.kind === 'ignored') {
      metrics.frameIgnored(frame.reason);
      return;
    }
    metrics.frame(frame.kind === 'request' || frame.kind === 'acknowledgement' ? frame.type : frame.kind);
    if (frame.kind === 'acknowledgement') acknowledge(this.#context, this, frame as Acknowledgement);
    else if (frame.kind === 'bad-frame') this.#refuse(frame);
    else if (frame.kind === 'unknown-request')
      this.socket.sendLater(failure(frame.type, frame.id, frame.faults));
    else this.#enqueue(frame);
  }

  /**
   * The server's own frames may be larger than what a client may send: a long message with all that is told about
   * it, a group of thousands. A client that sends back what it is sent must not lose its connection for that,
   * because it would be sent the same on the next one. Nobody is sent such frames before the sign-in, and nobody who
   * did not sign in has a megabyte read.
   */
  #takeTooLarge(bytes: Uint8Array): void {
    const { metrics } = this.#context;
    const frame = this.person && decodeFrame(bytes);
    if (frame?.kind === 'ignored' && frame.reason === 'server-type') {
      metrics.frameIgnored(frame.reason);
      return;
    }
    metrics.badFrame();
    this.socket.end(closeReasons.frameTooLarge);
  }

  #enqueue(frame: QueuedRequest): void {
    if (frame.type === 'CONN_KEEP_ALIVE_REQUEST') {
      this.#answerNow(frame);
      return;
    }
    if (this.#isFinishing) return;
    if (this.#queue.length >= this.#context.config.SESSION_QUEUE_MAX) {
      this.socket.sendLater(failure(frame.type, frame.id, [errorTexts.serverBusy.text]));
      return;
    }
    if (!this.#isWorking && this.#refusalOf(frame)) {
      this.#answerNow(frame);
      return;
    }
    this.#queue.push(frame);
    if (this.#isWorking) return;
    this.#isWorking = true;
    // Behind the other frames of this turn: what a client has sent together is one run.
    setImmediate(() => void this.#work());
  }

  async #work(): Promise<void> {
    while (this.socket.isOpen && this.#queue.length > 0) {
      const run = this.#nextRun();
      const [first] = run;
      if (!first) continue;
      if (run.length === 1) await answer(this.#context, this, first);
      else await Promise.all(run.map((frame) => answer(this.#context, this, frame)));
    }
    this.#isWorking = false;
    // An empty list that had elements keeps their memory.
    if (this.#queue.length === 0) this.#queue = [];
    this.#onIdle?.();
  }

  /** The next requests of one kind that may be at the core together; what need not go there is answered. */
  #nextRun(): SoundRequest[] {
    const run: SoundRequest[] = [];
    for (let next = this.#queue[0]; next; next = this.#queue[0]) {
      if (run[0] && (next.type !== run[0].type || run.length >= runMaxOf(this.#context, next.type))) break;
      const refusal = this.#refusalOf(next);
      if (refusal && run.length > 0) break;
      this.#queue.shift();
      if (refusal) this.#answerNow(next);
      else run.push(next as SoundRequest);
    }
    return run;
  }

  #refusalOf(frame: QueuedRequest): readonly string[] | undefined {
    if (!this.person && needsSignIn(frame.type)) return [errorTexts.notSignedIn.text];
    return frame.faults.length > 0 ? frame.faults : undefined;
  }

  #answerNow(frame: QueuedRequest): void {
    const refusal = this.#refusalOf(frame);
    if (refusal) this.socket.sendLater(failure(frame.type, frame.id, refusal));
    else void answer(this.#context, this, frame as SoundRequest<ClientRequestType>);
  }

  /** Tells why a frame was bad; whoever goes on and on with them is disconnected. */
  #refuse({ id, faults }: BadFrame): void {
    const { metrics, config } = this.#context;
    metrics.badFrame();
    this.socket.sendLater(frameFailure(id, faults));
    const now = Date.now();
    this.#badFrameTimes ??= [];
    this.#badFrameTimes.push(now);
    if (this.#badFrameTimes.length < config.BAD_FRAMES_MAX) return;
    const oldest = this.#badFrameTimes.shift() ?? 0;
    if (now - oldest <= config.BAD_FRAMES_WINDOW_MS) this.socket.end(closeReasons.badFrames);
  }
}
