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
  readGroupAcknowledgement,
  readMessageAcknowledgement,
  type SoundRequest,
} from '@hooligram/protocol';
import { networkOf } from '@hooligram/service';
import type { ClientSocket } from './client-socket.ts';
import type { GatewayContext } from './context.ts';
import { acknowledgeMessage, acknowledgeState } from './delivery/acknowledge.ts';
import type { FrameReader, WaitingFrame } from './frame-turns.ts';
import type { UserConnection } from './groups/user-connection.ts';
import type { User } from './groups/users.ts';
import type { ConnectionLimits, FirstJudgement } from './limits/connection-limits.ts';
import { refuseUnread } from './limits/refuse-unread.ts';
import { isSentBack } from './limits/sent-back.ts';
import type { FullBudget } from './request-budget.ts';
import type { SocketOwner } from './websocket-server.ts';

/** So many requests of a connection are handled, or refused, in one turn of the event loop when nothing has to be waited for. */
const requestsATurn = 32;
/** A burst that has so many bytes is closed: the messages of others would wait while all of it is stored. */
const burstBytesMax = 128 * 1_024;

/** What a frame that waits for its turn takes: its bytes, and the objects around them. */
const heldBy = ({ byteLength }: Uint8Array) => byteLength + 256;

type QueuedRequest = SoundRequest | FaultyRequest;
/** A request that waits, and its size as it came. */
type Queued = { readonly frame: QueuedRequest; readonly bytes: number };

/** What a session does with frames: `frames/index.ts`. */
export type Dispatcher = {
  /** Handles a sound request and sends its answer; resolves when the next may begin. */
  handleRequest(context: GatewayContext, session: Session, frame: SoundRequest): Promise<void> | void;
  handleAcknowledgement(context: GatewayContext, session: Session, frame: Acknowledgement): void;
  /** How many requests of a type, sent one behind the other, may be at the core together. */
  burstMaxOf(context: GatewayContext, type: ClientRequestType): number;
};

/**
 * One client's connection: the queue of what it requested, and as whom it is signed in.
 *
 * Requests are handled in the order in which they came. At most one burst of them is at the core at a time, and
 * all of a burst are of one type; that is all that ordering needs, however many cores there are.
 */
export class Session implements SocketOwner, FrameReader {
  readonly socket: ClientSocket;
  /** What it may cost; undefined without limits. */
  readonly limits: ConnectionLimits | undefined;
  /** The newest sign-in while the states of all groups were not sent yet. */
  signIn: object | undefined;
  /** The id of a keep-alive that is answered when they were: the newest, so that what waits is bounded. */
  keepAliveAfterGroups: string | undefined;
  /** `FrameTurns` has them. */
  turn = 0;
  units = 0;
  readonly #context: GatewayContext;
  readonly #dispatcher: Dispatcher;
  readonly #open: Set<Session>;
  #connection: UserConnection | undefined;
  #queue: Queued[] = [];
  /** What this connection holds of the gateway's budget: what waits, and what is at the core. */
  #heldBytes = 0;
  /** What is at the core of that. */
  #burstBytes = 0;
  /** How many refusals came before the burst. */
  #answeredBefore = 0;
  #isWorking = false;
  #isFinishing = false;
  #onIdle: (() => void) | undefined;
  #connectionId: string | undefined;
  #badFrameTimes: number[] | undefined;

  /** @param open the sessions of this epoch; a closed one takes itself out */
  constructor(context: GatewayContext, socket: ClientSocket, dispatcher: Dispatcher, open: Set<Session>) {
    this.#context = context;
    this.socket = socket;
    this.limits = context.clientLimits?.open(socket);
    this.#dispatcher = dispatcher;
    this.#open = open;
  }

  /** Its place among its user's connections; undefined before the sign-in. */
  get connection(): UserConnection | undefined {
    return this.#connection;
  }

  get user(): User | undefined {
    return this.#connection?.user;
  }

  get isSignedIn(): boolean {
    return this.#connection !== undefined;
  }

  /** Whether a code can be submitted here. */
  get hasRequestedCode(): boolean {
    return this.#connectionId !== undefined;
  }

  /** Names the connection to the core: a code is submitted where it was asked for. */
  get connectionId(): string {
    this.#connectionId ??= randomUUID();
    return this.#connectionId;
  }

  onMessage(bytes: ArrayBuffer): void {
    const view = new Uint8Array(bytes);
    if (this.limits) this.limits.hasSent = true;
    if (view.byteLength > frameBytesMax) {
      this.#refuseTooLarge(view);
      return;
    }
    const messageId = readMessageAcknowledgement(view);
    if (messageId === undefined) this.#read(view);
    else {
      this.#context.metrics.messageAcknowledgements.count += 1;
      acknowledgeMessage(this.#context, this.#connection, messageId);
    }
  }

  /**
   * Takes no more requests, forgets those that were not begun, and waits for the answers to the others.
   * @returns whether all of them came before the signal
   */
  async finish(outOfPatience: AbortSignal): Promise<boolean> {
    this.#isFinishing = true;
    this.#forgetQueue();
    this.#context.signIns.leaveLine(this);
    if (!this.#isWorking || outOfPatience.aborted) return !this.#isWorking;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      outOfPatience.addEventListener('abort', () => resolve(), { once: true });
    });
    return !this.#isWorking;
  }

  onClose(): void {
    this.#open.delete(this);
    this.#forgetQueue();
    this.#context.signIns.leaveLine(this);
    this.limits?.close();
    void this.signOut();
  }

  /** Makes it a connection of the user. `signOut` has to come first. */
  signInAs(userId: number, sid: string, credentialVersion?: number): UserConnection {
    const connection = this.#context.users.signIn(this.socket, userId, sid, credentialVersion);
    this.#connection = connection;
    this.limits?.signIn(userId);
    this.#context.clientLimits?.closeExcess(userId, connection.user.connections);
    void this.#context.connectionsElsewhere?.signedIn(connection.user);
    return connection;
  }

  /**
   * Takes the connection out of all groups and away from its user, at once.
   * @returns when what the user acknowledged here is written
   */
  async signOut(): Promise<void> {
    if (!this.#connection) return;
    const { cursorWriter, users, connectionsElsewhere } = this.#context;
    const { userId } = this.#connection.user;
    users.signOut(this.#connection);
    connectionsElsewhere?.signedOut(userId);
    this.#connection = undefined;
    this.limits?.signOut();
    if (cursorWriter.hasMoved) await cursorWriter.flushUser(userId);
  }

  readWaiting({ bytes, judgement }: WaitingFrame): void {
    this.#hold(-heldBy(bytes));
    if (this.socket.isOpen) this.#readNow(bytes, judgement);
  }

  #read(bytes: Uint8Array): void {
    const { frameTurns } = this.#context;
    const judgement = this.limits?.judge(bytes) ?? 'read';
    const isRead = judgement === 'read' || judgement === 'acknowledgement';
    const waits = isRead
      ? !frameTurns.readsNow(this, bytes.byteLength)
      : judgement === 'refuse' && frameTurns.hasWaiting(this);
    if (waits) this.#wait(bytes, judgement);
    else this.#readNow(bytes, judgement);
  }

  #readNow(bytes: Uint8Array, first: FirstJudgement): void {
    if (first === 'read' || first === 'acknowledgement') {
      const groupId = readGroupAcknowledgement(bytes);
      if (groupId !== undefined) {
        this.#context.metrics.frames('GROUP_DELIVER_SUCCESS').count += 1;
        acknowledgeState(this.#context, this.#connection, groupId);
        return;
      }
    }
    let judgement = first;
    let frame: DecodedFrame | undefined;
    if (judgement === 'acknowledgement') {
      frame = this.#decode(bytes);
      judgement = frame.kind === 'acknowledgement' ? 'read' : (this.limits?.judgeOther(bytes) ?? 'read');
    }
    if (judgement === 'read') this.#receive(frame ?? this.#decode(bytes), bytes.byteLength);
    else refuseUnread(this, bytes, judgement, this.#context.metrics);
  }

  /** Too much has come in this turn of the event loop. */
  #wait(bytes: Uint8Array, judgement: FirstJudgement): void {
    const { frameTurns, requestBudget, metrics } = this.#context;
    const held = heldBy(bytes);
    const full = requestBudget.refusal(this.#heldBytes, held);
    if (full) {
      this.#noteShed(full);
      refuseUnread(this, bytes, judgement === 'acknowledgement' ? 'ignore' : 'busy', metrics);
      return;
    }
    this.#hold(held);
    // Its memory is only lent. A Buffer has its own from a pool: an ArrayBuffer for each of many thousand frames costs more than
    // to judge them.
    frameTurns.wait(this, { bytes: Buffer.from(bytes), judgement });
  }

  #decode(bytes: Uint8Array): DecodedFrame {
    // Behind a sign-in that is under way it may be a request of somebody who is signed in then.
    return decodeFrame(bytes, this.#connection !== undefined || this.#isWorking);
  }

  #receive(frame: DecodedFrame, bytes: number): void {
    const { metrics } = this.#context;
    if (frame.kind === 'ignored') {
      metrics.framesIgnored(frame.reason).count += 1;
      return;
    }
    const isKnown = frame.kind === 'request' || frame.kind === 'acknowledgement';
    metrics.frames(isKnown ? frame.type : frame.kind).count += 1;
    if (frame.kind === 'acknowledgement') {
      this.#dispatcher.handleAcknowledgement(this.#context, this, frame as Acknowledgement);
    } else if (frame.kind === 'bad-frame') this.#refuse(frame);
    else if (frame.kind === 'unknown-request') {
      this.socket.sendLater(failure(frame.type, frame.id, frame.faults));
    } else this.#enqueue(frame, bytes);
  }

  /**
   * The server's own frames may be larger than what a client may send: a long message with all that comes
   * with it, a group of thousands. A client that sends back what it is sent must not lose its connection for that,
   * because it would be sent the same on the next one. Such frames are sent
   * after the sign-in only. None of them is parsed; beyond the limits they are counted, and ignored all the same.
   */
  #refuseTooLarge(bytes: Uint8Array): void {
    const { metrics } = this.#context;
    if (this.#connection && isSentBack(bytes)) {
      this.limits?.takeSentBack(bytes.byteLength);
      metrics.framesIgnored('server-type').count += 1;
      return;
    }
    metrics.badFrames.inc();
    this.socket.end(closeReasons.frameTooLarge);
  }

  #enqueue(frame: QueuedRequest, bytes: number): void {
    if (frame.type === 'CONN_KEEP_ALIVE_REQUEST') {
      this.#answerNow(frame);
      return;
    }
    if (this.#isFinishing) return;
    const full = this.#fullBudget(bytes);
    if (full) {
      this.#noteShed(full);
      this.socket.sendLater(failure(frame.type, frame.id, [errorTexts.serverBusy.text]));
      return;
    }
    if (!this.#isWorking && this.#refusalOf(frame)) {
      this.#answerNow(frame);
      return;
    }
    this.#context.traces?.received(frame);
    this.#queue.push({ frame, bytes });
    this.#hold(bytes);
    if (this.#isWorking) return;
    this.#isWorking = true;
    // Behind the other frames of this tick: what a client has sent together is one burst.
    setImmediate(() => void this.#work());
  }

  /** What has no room for one more request of so many bytes. */
  #fullBudget(bytes: number): FullBudget | undefined {
    const { config, requestBudget } = this.#context;
    if (this.#queue.length >= config.SESSION_QUEUE_MAX) return 'connection';
    return requestBudget.refusal(this.#heldBytes, bytes);
  }

  #noteShed(full: FullBudget): void {
    const { metrics, log } = this.#context;
    metrics.requestsShed.inc({ cause: full });
    log.warn(
      { kind: full, source: networkOf(this.socket.address) },
      'a request is refused: a budget is full',
    );
  }

  #hold(bytes: number): void {
    this.#heldBytes = this.#context.requestBudget.move(this.#heldBytes, bytes);
  }

  /** Forgets what was not begun. */
  #forgetQueue(): void {
    for (const { bytes } of this.#context.frameTurns.leave(this)) this.#hold(-heldBy(bytes));
    for (const { bytes } of this.#queue.splice(0)) this.#hold(-bytes);
  }

  async #work(): Promise<void> {
    let handled = 0;
    while (this.socket.isOpen && this.#queue.length > 0) {
      if (handled >= requestsATurn) {
        handled = 0;
        await new Promise<void>((resolve) => setImmediate(resolve));
        // Anything may have happened meanwhile.
        continue;
      }
      const burst = this.#nextBurst();
      const [first] = burst;
      handled += Math.max(1, burst.length + this.#answeredBefore);
      if (!first) continue;
      if (burst.length === 1) await this.#handle(first);
      else await Promise.all(burst.map((frame) => this.#handle(frame)));
      this.#hold(-this.#burstBytes);
      this.#burstBytes = 0;
    }
    this.#isWorking = false;
    // An empty list that had elements keeps their memory.
    if (this.#queue.length === 0) this.#queue = [];
    this.#onIdle?.();
  }

  #handle(frame: SoundRequest): Promise<void> | void {
    return this.#dispatcher.handleRequest(this.#context, this, frame);
  }

  /** The next requests of one type that may be at the core together; what need not go there is answered, some of it. */
  #nextBurst(): SoundRequest[] {
    const burst: SoundRequest[] = [];
    this.#answeredBefore = 0;
    for (let next = this.#queue[0]; next; next = this.#queue[0]) {
      const { frame, bytes } = next;
      const burstMax = this.#dispatcher.burstMaxOf(this.#context, frame.type);
      if (burst[0] && (frame.type !== burst[0].type || burst.length >= burstMax)) break;
      if (burst[0] && this.#burstBytes + bytes > burstBytesMax) break;
      const refusal = this.#refusalOf(frame);
      if (refusal && burst.length > 0) break;
      this.#queue.shift();
      if (refusal) {
        this.#hold(-bytes);
        this.#answerNow(frame);
        this.#answeredBefore += 1;
        if (this.#answeredBefore >= requestsATurn) break;
      } else {
        this.#burstBytes += bytes;
        burst.push(frame as SoundRequest);
      }
    }
    return burst;
  }

  #refusalOf(frame: QueuedRequest): readonly string[] | undefined {
    if (!this.#connection && needsSignIn(frame.type)) return [errorTexts.notSignedIn.text];
    return frame.faults.length > 0 ? frame.faults : undefined;
  }

  #answerNow(frame: QueuedRequest): void {
    const refusal = this.#refusalOf(frame);
    if (refusal) this.socket.sendLater(failure(frame.type, frame.id, refusal));
    else void this.#handle(frame as SoundRequest);
  }

  /** Says why a frame was bad; a client that goes on and on with them is disconnected. */
  #refuse({ id, faults }: BadFrame): void {
    const { metrics, config, log } = this.#context;
    metrics.badFrames.inc();
    this.socket.sendLater(frameFailure(id, faults));
    const now = Date.now();
    this.#badFrameTimes ??= [];
    this.#badFrameTimes.push(now);
    if (this.#badFrameTimes.length < config.BAD_FRAMES_MAX) return;
    const oldest = this.#badFrameTimes.shift() ?? 0;
    if (now - oldest > config.BAD_FRAMES_WINDOW_MS) return;
    log.warn({ source: networkOf(this.socket.address) }, 'a connection is closed: it sends bad frames');
    this.socket.end(closeReasons.badFrames);
  }
}
