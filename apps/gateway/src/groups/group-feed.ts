import type { DeliveryCheck, GroupState, Messages } from '@hooligram/contract';
import { encodeFrame, groupDeliveryId } from '@hooligram/protocol';
import type { GatewayContext } from '../context.ts';
import { Member } from './delivery-cursor.ts';
import { openGroups } from './join.ts';
import { continueReplay } from './replay.ts';
import type { Attachment } from './subscription.ts';

type Held = { readonly version: number; readonly messageId: number; readonly frame: string | Uint8Array };
type Sent = { readonly seq: number; readonly frame: string | Uint8Array };

/** Most live messages that are kept for connections in replay; beyond it they fetch another page. */
const tailMax = 1_024;

/** Pause after a fetch that left a hole, so that a core in trouble is not asked without pause. */
const fetchPauseMs = 500;

/**
 * A group as this gateway knows it while one of its connections is in it: how far it is (`version`,
 * `position`), and who of the people here is a member.
 *
 * A state applies on arrival, whatever is missing before it: who is not named leaves the topic at once. A
 * message passes only as the next one after `position`, and only under a state of at least its version. So a
 * message reaches a connection only if the newest state known here names its person with `joined_seq < seq`.
 */
export class Group {
  readonly id: number;
  readonly topic: string;
  /** Resolves when what is published to the group is heard here. */
  listening: Promise<void> = Promise.resolve();
  holders = 0;
  /** Of the state that applies; 0 before there is one. */
  version = 0;
  /** The `GROUP_DELIVER_REQUEST` of that state. */
  frame = '';
  /** `seq` of the last message passed on; undefined until the first read. */
  position: number | undefined;
  readonly members = new Map<number, Member>();
  readonly attachments = new Set<Attachment>();
  readonly #context: GatewayContext;
  readonly #held = new Map<number, Held>();
  #gapTimer: NodeJS.Timeout | undefined;
  #isFetching = false;
  /** Something that was published is neither passed on nor held. */
  #isIncomplete = false;
  #replaying = 0;
  readonly #waiting = new Set<Attachment>();
  #tail: Sent[] = [];
  /** The tail holds all of (`#tailFrom`, `position`]. */
  #tailFrom = 0;

  constructor(id: number, context: GatewayContext) {
    this.id = id;
    // In another epoch it has other members.
    this.topic = `g${context.epoch}.${id}`;
    this.#context = context;
  }

  get isHeld(): boolean {
    return this.holders > 0;
  }

  /** Takes published messages, in whatever order they come. */
  receive({ version, seq, message_ids, frames }: Messages<Uint8Array>): void {
    for (const [index, frame] of frames.entries()) {
      this.#receive(version, seq + index, message_ids[index] as number, frame);
    }
  }

  #receive(version: number, seq: number, messageId: number, frame: Uint8Array): void {
    if (this.position !== undefined && seq <= this.position) return;
    if (seq === (this.position ?? Number.NaN) + 1 && version <= this.version) {
      this.#pass(seq, messageId, frame);
      if (this.#held.size > 0) this.#passHeld();
      return;
    }
    this.#held.set(seq, { version, messageId, frame });
    if (this.#held.size > this.#context.config.GAP_HELD_MAX) {
      this.#held.clear();
      this.#isIncomplete = true;
      void this.fetch();
    } else this.#watchGap(this.#context.config.GAP_WAIT_MS);
  }

  /** Takes a state, from whatever path; an older one than applies is nothing new. */
  apply(state: GroupState): void {
    if (!this.isHeld || state.version < this.version) return;
    const named = new Map<number, number>();
    for (const [userId, , joinedSeq] of state.members) {
      if (this.#context.people.has(userId)) named.set(userId, joinedSeq);
    }
    if (state.version === this.version) {
      // Nothing new but to those who signed in here since it applied: they were nobody's business then.
      for (const [userId, joinedSeq] of named) this.#admit(userId, joinedSeq);
      return;
    }
    this.version = state.version;
    this.frame = stateFrame(state);
    for (const userId of this.members.keys()) if (!named.has(userId)) this.#remove(userId);
    for (const [userId, joinedSeq] of named) this.#admit(userId, joinedSeq);
    this.#tellState();
    for (const userId of named.keys()) this.#openMissing(userId, state.version_seq);
    if (this.position !== undefined) this.#passHeld();
  }

  /** Sets out from what was read, once; what was published since waits in `#held`. */
  startAt(seq: number): void {
    if (this.position !== undefined) return;
    this.position = seq;
    this.#passHeld();
    if (this.#isIncomplete) void this.fetch();
    else if (this.#held.size > 0) this.#watchGap(this.#context.config.GAP_WAIT_MS);
  }

  /**
   * Takes word of how far the group is: fetches what is missing here, and reports who of the people here has not
   * acknowledged what is due.
   */
  check({ last_seq, version, due_seq, due_version }: DeliveryCheck): void {
    if (version > this.version || last_seq > (this.position ?? last_seq)) this.refresh();
    for (const member of this.members.values()) {
      if (member.lags(due_seq, due_version)) this.#context.lag.report(member.userId);
    }
  }

  /** Fetches what may have been published unheard; before the first read, once that is done. */
  refresh(): void {
    this.#isIncomplete = true;
    void this.fetch();
  }

  /** Something that was published here could not be read: it is fetched, after a pause if it comes again and again. */
  missed(): void {
    this.#isIncomplete = true;
    this.#watchGap(fetchPauseMs);
  }

  /** Asks the core for everything after the position and passes it on. */
  async fetch(): Promise<void> {
    if (this.#isFetching || this.position === undefined) return;
    this.#isFetching = true;
    this.#context.metrics.gapFetched();
    let result: 'more' | 'all' | 'failed' = 'more';
    while (this.isHeld && (result === 'more' || (result === 'all' && this.#isIncomplete))) {
      this.#isIncomplete = false;
      result = await this.#fetchPage();
    }
    this.#isFetching = false;
    if (!this.isHeld) return;
    if (result === 'failed') this.#isIncomplete = true;
    if (this.#held.size > 0 || this.#isIncomplete) this.#watchGap(fetchPauseMs);
  }

  /** The one place where a connection's phase changes, because the group counts who is in which. */
  enter(attachment: Attachment, phase: Attachment['phase']): void {
    if (attachment.phase === 'replaying') this.#replaying -= 1;
    if (attachment.phase === 'live') attachment.session.socket.leave(this.topic);
    this.#waiting.delete(attachment);
    attachment.phase = phase;
    if (phase === 'waiting') this.#waiting.add(attachment);
    if (phase === 'live') attachment.session.socket.join(this.topic);
    if (phase === 'replaying') {
      this.#replaying += 1;
      if (this.#replaying === 1) this.#tailFrom = this.position ?? 0;
    }
    if (this.#replaying === 0) this.#tail = [];
  }

  /** @returns the kept frames of all of (`seq`, `position`], or undefined if some of them are gone */
  tailAfter(seq: number): Sent[] | undefined {
    return seq >= this.#tailFrom ? this.#tail.filter((sent) => sent.seq > seq) : undefined;
  }

  /** Nobody here is in the group any more. */
  drop(): void {
    clearTimeout(this.#gapTimer);
    this.#held.clear();
    this.#tail = [];
  }

  async #fetchPage(): Promise<'more' | 'all' | 'failed'> {
    const reply = await this.#context.core.ask('REPLAY_PAGE', {
      group_id: this.id,
      after_seq: this.position ?? 0,
      known_version: this.version,
    });
    if (!reply.ok) return 'failed';
    if (!this.isHeld) return 'all';
    const { state, messages, through_seq, last_seq } = reply.answer;
    if (state) this.apply(state);
    for (const [seq, messageId, frame] of messages) {
      if (seq === (this.position ?? 0) + 1) this.#pass(seq, messageId, frame);
    }
    this.#passHeld();
    // Its audit may have been published while nobody here could hear it, and there need not be another one.
    if (state || messages.length > 0) {
      for (const userId of this.members.keys()) this.#context.lag.watch(userId);
    }
    return through_seq < last_seq ? 'more' : 'all';
  }

  #pass(seq: number, messageId: number, frame: string | Uint8Array): void {
    const { metrics, receipts, publish } = this.#context;
    this.position = seq;
    receipts.note(messageId, this, seq);
    publish(this.topic, frame);
    metrics.messagePassed();
    if (this.#replaying > 0) this.#keep(seq, frame);
    for (const attachment of this.#waiting) continueReplay(this.#context, attachment);
  }

  #keep(seq: number, frame: string | Uint8Array): void {
    this.#tail.push({ seq, frame });
    if (this.#tail.length <= tailMax) return;
    this.#tail = [];
    this.#tailFrom = seq;
  }

  #passHeld(): void {
    for (const seq of this.#held.keys()) if (seq <= (this.position ?? 0)) this.#held.delete(seq);
    for (;;) {
      const seq = (this.position ?? 0) + 1;
      const next = this.#held.get(seq);
      if (!next || next.version > this.version) break;
      this.#held.delete(seq);
      this.#pass(seq, next.messageId, next.frame);
    }
    if (this.#held.size === 0 && !this.#isIncomplete) this.#stopWatching();
  }

  #watchGap(afterMs: number): void {
    if (this.#gapTimer || this.position === undefined) return;
    this.#gapTimer = setTimeout(() => {
      this.#gapTimer = undefined;
      void this.fetch();
    }, afterMs);
  }

  #stopWatching(): void {
    clearTimeout(this.#gapTimer);
    this.#gapTimer = undefined;
  }

  #admit(userId: number, joinedSeq: number): void {
    const member = this.members.get(userId);
    if (!member) {
      this.members.set(userId, new Member(userId, this.id, joinedSeq));
      return;
    }
    if (member.joinedSeq === joinedSeq) return;
    // Left and was added again, and we heard of the second only.
    member.rejoin(joinedSeq);
    for (const attachment of this.#toldOf(userId)) {
      attachment.sentSeq = Math.max(attachment.sentSeq, joinedSeq);
      this.enter(attachment, 'waiting');
      continueReplay(this.#context, attachment);
    }
  }

  #remove(userId: number): void {
    this.members.delete(userId);
    for (const attachment of this.#toldOf(userId)) attachment.session.detach(this.id);
  }

  #toldOf(userId: number): Attachment[] {
    return this.#context.people.sessionsOf(userId).flatMap((session) => {
      const attachment = session.attachments.get(this.id);
      return attachment?.isTold ? [attachment] : [];
    });
  }

  #tellState(): void {
    this.#context.publish(this.topic, this.frame);
    for (const attachment of this.attachments) {
      if (!attachment.isTold) continue;
      if (attachment.phase !== 'live') attachment.session.socket.send(this.frame);
      attachment.noteState(this.version);
    }
  }

  /** Whoever is named here for the first time is brought in by a read of their own. */
  #openMissing(userId: number, since: number): void {
    for (const session of this.#context.people.sessionsOf(userId)) {
      if (!session.attachments.has(this.id)) void openGroups(this.#context, session, [this.id], [since]);
    }
  }
}

function stateFrame(state: GroupState): string {
  const { group_id, version, date_created, group_name, is_direct_message, members } = state;
  return encodeFrame('GROUP_DELIVER_REQUEST', groupDeliveryId(group_id, version), {
    date_created,
    group_id,
    group_name,
    is_direct_message,
    member_sids: members.map(([, sid]) => sid),
  });
}
