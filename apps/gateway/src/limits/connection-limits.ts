import { isDeliverySentBack, mayBeAcknowledgement } from '@hooligram/protocol';
import type { CausedLimits, ClientLimits } from './client-limits.ts';
import type { GatewayLimit } from './limit-names.ts';
import type { Share } from './shares.ts';
import { Traffic } from './traffic.ts';

/** What becomes of a frame. `ignore`: no client needs an answer to it. */
export type Judgement = 'read' | 'ignore' | 'refuse' | 'close';
/** `acknowledgement`: it is read as one. If it turns out to be something else, `judgeOther` says what becomes of it. */
export type FirstJudgement = Judgement | 'acknowledgement';

/**
 * So many frames of a connection before its sign-in do not count among those of its address: whoever uses those up keeps
 * no neighbour from signing in.
 */
const freeUnsignedFrames = 8;

/**
 * Such a part of the acknowledgements of a connection is read also where its address has used up all of its own: what
 * neighbours send has nobody's messages sent again who reads them as they come.
 */
const freeAcknowledgementsPart = 100;

type Scope = 'connection' | 'address' | 'user';

const sentBackLimits = {
  connection: 'deliveries_sent_back',
  address: 'address_deliveries_sent_back',
  user: 'user_deliveries_sent_back',
} as const;

const acknowledgementLimits = {
  connection: 'connection_acknowledgements',
  address: 'address_acknowledgements',
  user: 'user_acknowledgements',
} as const;

/** What closes a connection: its socket. */
type Closable = { end(reason: { code: number; reason: string }): void };

/**
 * What one connection has used of its limits, of its address's and of its user's. A frame that is read costs a few
 * additions and no memory.
 */
export class ConnectionLimits {
  readonly socket: Closable;
  /** The network that it comes from. */
  readonly source: string;
  readonly #limits: ClientLimits;
  readonly #address: Share;
  #traffic: Traffic;
  #user: Share | undefined;
  #userId = 0;
  /** Of deliveries that come back. Only clients that send them have it. */
  #sentBack: Traffic | undefined;
  /** Of acknowledgements. As many as there were deliveries are no fault of the client's. */
  #acknowledgements: Traffic | undefined;
  /** Only where its neighbours have used up those of the address. */
  #freeAcknowledgements: Traffic | undefined;
  /** A whole message has come since that was last looked at. */
  hasSent = false;
  /** No code that somebody signs in with was given to the core yet. */
  isFirstGuess = true;
  /** A code was submitted rightly here, and the core has looked at none that somebody signed in with since: it is asked about the next. */
  hasVerified = false;
  #isSignedIn = false;
  #unsignedFrames = 0;
  #waitSeconds = 0;

  constructor(limits: ClientLimits, socket: Closable, source: string) {
    this.#limits = limits;
    this.socket = socket;
    this.source = source;
    this.#address = limits.addresses.enter(source);
    this.#address.unsigned += 1;
    this.#traffic = new Traffic(limits.unsignedRates);
    limits.signInTimes.begin(this);
  }

  /** Of the frame that was refused last: in how many seconds another one like it would not be. */
  get waitSeconds(): number {
    return this.#waitSeconds;
  }

  /** What becomes of a frame, before anything of it is parsed. */
  judge(frame: Uint8Array): FirstJudgement {
    if (this.#isSignedIn && isDeliverySentBack(frame))
      return this.takeSentBack(frame.byteLength) ? 'read' : 'ignore';
    if (this.#isSignedIn && mayBeAcknowledgement(frame))
      return this.#takeAcknowledgement() ? 'acknowledgement' : 'ignore';
    return this.judgeOther(frame);
  }

  /** What becomes of a frame that does not acknowledge a delivery. */
  judgeOther({ byteLength }: Uint8Array): Judgement {
    const own = this.#traffic.take(byteLength);
    if (own)
      return this.#refuse(this.#isSignedIn ? 'connection' : 'unsigned', this.#traffic, own, byteLength);
    if (!this.#isSignedIn) {
      const refusal = this.#judgeUnsigned();
      if (refusal) return refusal;
    }
    const { traffic } = this.#address;
    const ofAddress = traffic.take(byteLength);
    if (ofAddress) return this.#refuse('address', traffic, ofAddress, byteLength);
    const ofUser = this.#user?.traffic.take(byteLength);
    if (ofUser && this.#user) return this.#refuse('user', this.#user.traffic, ofUser, byteLength);
    return 'read';
  }

  #judgeUnsigned(): Judgement | undefined {
    this.#unsignedFrames += 1;
    if (this.#unsignedFrames <= freeUnsignedFrames) return undefined;
    const traffic = this.#limits.unsignedOfAddresses.bucketOf(this.source);
    if (traffic.take(0) === undefined) return undefined;
    this.#limits.report.add('address_unsigned_frames', this.source);
    this.#waitSeconds = traffic.waitSeconds(0);
    // Its own refusals count: those of its neighbours close nothing.
    return this.#refuseOrClose(this.#traffic, 'unsigned');
  }

  /** Whether one more delivery that comes back is read, and not only ignored. */
  takeSentBack(bytes: number): boolean {
    const { sentBack } = this.#limits;
    this.#sentBack ??= new Traffic(sentBack.connectionRates);
    return this.#takeCaused(this.#sentBack, sentBack, bytes, sentBackLimits);
  }

  /** Whether one more acknowledgement is parsed, and not only ignored. */
  #takeAcknowledgement(): boolean {
    const { acknowledgements } = this.#limits;
    this.#acknowledgements ??= new Traffic(acknowledgements.connectionRates);
    return this.#takeCaused(this.#acknowledgements, acknowledgements, 0, acknowledgementLimits, () => {
      const { frames, bytes } = acknowledgements.connectionRates;
      const points = Math.max(1, frames.points / freeAcknowledgementsPart);
      this.#freeAcknowledgements ??= new Traffic({ frames: { ...frames, points }, bytes });
      return this.#freeAcknowledgements.take(0) === undefined;
    });
  }

  /**
   * Takes what the server has caused from the buckets for it. Beyond them it is ignored, and closes nothing.
   * @param isFree whether it is read though the address has used up what it has
   * @returns whether there was enough
   */
  #takeCaused(
    own: Traffic,
    { addresses, users }: CausedLimits,
    bytes: number,
    limits: Readonly<Record<Scope, GatewayLimit>>,
    isFree = () => false,
  ): boolean {
    const scope = own.take(bytes)
      ? 'connection'
      : addresses.bucketOf(this.source).take(bytes) && !isFree()
        ? 'address'
        : users.bucketOf(this.#userId).take(bytes) && 'user';
    if (!scope) return true;
    this.#limits.report.add(limits[scope], scope === 'user' ? this.#userId : this.source);
    return false;
  }

  /** A code was sent for it: the time until the sign-in begins again. */
  codeSent(): void {
    if (!this.#isSignedIn) this.#limits.signInTimes.begin(this);
  }

  /** Somebody signed in. */
  signIn(userId: number): void {
    this.#userId = userId;
    this.#user = this.#limits.users.enter(userId);
    if (this.#isSignedIn) return;
    this.#isSignedIn = true;
    this.#address.unsigned -= 1;
    this.#traffic = new Traffic(this.#limits.connectionRates);
    this.#limits.signInTimes.end(this);
    this.#limits.messageTimes.begin(this);
  }

  /** Nobody is signed in any more; only for a moment, or because it is closed. */
  signOut(): void {
    if (this.#user) this.#limits.users.leave(this.#user);
    this.#user = undefined;
  }

  close(): void {
    this.signOut();
    this.#limits.signInTimes.end(this);
    this.#limits.messageTimes.end(this);
    if (!this.#isSignedIn) this.#address.unsigned -= 1;
    this.#limits.addresses.leave(this.#address);
  }

  #refuse(
    scope: Scope | 'unsigned',
    traffic: Traffic,
    shortage: 'frames' | 'bytes',
    bytes: number,
  ): Judgement {
    this.#limits.report.add(`${scope}_${shortage}`, scope === 'user' ? this.#userId : this.source);
    this.#waitSeconds = traffic.waitSeconds(bytes);
    return this.#refuseOrClose(traffic, scope);
  }

  #refuseOrClose(traffic: Traffic, scope: Scope | 'unsigned'): Judgement {
    if (traffic.refuse()) return 'refuse';
    // What a user sends from another network is not this network's fault.
    if (scope !== 'user') this.#limits.flooded(this.source);
    return 'close';
  }
}
