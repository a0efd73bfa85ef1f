import type {
  DeliveryCheck,
  GroupState,
  Membership,
  ReplayPage,
  StateMember,
  StoredCursor,
  StoredMessage,
} from '@hooligram/contract';
import { compareByCodeUnit, encodeFrame, messageDeliveryId } from '@hooligram/protocol';

export type TestUser = { readonly userId: number; readonly sid: string };

/** A message as the core publishes it. */
export type Published = {
  readonly group_id: number;
  readonly version: number;
  readonly seq: number;
  readonly message_id: number;
  readonly frame: string;
};

/** Where a user stands in a group. What is not given is as if everything was acknowledged. */
export type Standing = Partial<
  Pick<Membership, 'delivered_seq' | 'delivered_version' | 'retried_version' | 'last_seq'>
>;

/** What a user finds on sign-in, with the state that the gateway is going to ask for. */
export type MembershipWithState = Omit<Membership, 'group_id' | 'version' | 'closed' | 'joined_seq'> & {
  readonly state: GroupState;
};

const date_created = '2026-11-22T07:08:57.123Z';

/**
 * A group as the database would hold it. Each read is a snapshot: take it when the core would have read, and
 * let it arrive when the test says.
 */
export class StoredGroup {
  readonly id: number;
  readonly messages: Published[] = [];
  version = 1;
  #versionSeq: number;
  #members: StateMember[];

  /** @param lastSeq so many messages are stored already */
  constructor(id: number, members: readonly TestUser[], { lastSeq = 0 }: { lastSeq?: number } = {}) {
    this.id = id;
    this.#members = members.map(({ userId, sid }) => [userId, sid, 0] as const);
    this.#versionSeq = 0;
    this.storeMany(lastSeq);
  }

  get lastSeq(): number {
    return this.messages.length;
  }

  /** The message with that `seq`. */
  message(seq: number): Published {
    const message = this.messages[seq - 1];
    if (!message) throw new Error(`no message ${seq} was stored`);
    return message;
  }

  /** Stores a message under the version that applies. */
  store(): Published {
    const message = this.#newMessage();
    this.messages.push(message);
    return message;
  }

  /** Stores several messages, one behind the other. */
  storeMany(count: number): Published[] {
    return Array.from({ length: count }, () => this.store());
  }

  add({ userId, sid }: TestUser): GroupState {
    this.#members = [...this.#members, [userId, sid, this.lastSeq]];
    return this.#changed();
  }

  remove(user: TestUser): GroupState {
    this.#members = this.#members.filter(([userId]) => userId !== user.userId);
    return this.#changed();
  }

  state(): GroupState {
    return {
      group_id: this.id,
      version: this.version,
      version_seq: this.#versionSeq,
      date_created,
      group_name: 'a group',
      is_direct_message: false,
      closed: false,
      members: [...this.#members].sort(([, a], [, b]) => compareByCodeUnit(a, b)),
    };
  }

  /** What a user finds on sign-in, with everything acknowledged unless `standing` says otherwise. */
  membership(standing: Standing = {}): MembershipWithState {
    return {
      state: this.state(),
      last_seq: this.lastSeq,
      delivered_seq: this.lastSeq,
      delivered_version: this.version,
      retried_version: 0,
      ...standing,
    };
  }

  /** The stored cursor of a user who has acknowledged the state, and messages up to this one. */
  cursor({ userId }: TestUser, delivered_seq: number): StoredCursor {
    return {
      user_id: userId,
      group_id: this.id,
      delivered_seq,
      delivered_version: this.version,
      retried_version: 0,
    };
  }

  /** How far the group is, and that so much of it should have been acknowledged by now. */
  deliveryCheck({ seq = 0, version = 0 }: { seq?: number; version?: number } = {}): DeliveryCheck {
    return {
      group_id: this.id,
      version: this.version,
      last_seq: this.lastSeq,
      due_seq: seq,
      due_version: version,
    };
  }

  /** What the core would answer, with the state that the gateway is going to ask for. */
  page(
    request: { after_seq: number },
    messagesMax = Number.POSITIVE_INFINITY,
  ): ReplayPage & { state: GroupState } {
    const messages = this.messages
      .slice(request.after_seq, request.after_seq + messagesMax)
      .map(({ seq, message_id, frame }): StoredMessage => [seq, message_id, frame]);
    return {
      group_id: this.id,
      version: this.version,
      state: this.state(),
      last_seq: this.lastSeq,
      through_seq: messages.at(-1)?.[0] ?? Math.max(request.after_seq, this.lastSeq),
      messages,
    };
  }

  #changed(): GroupState {
    this.version += 1;
    this.#versionSeq = this.lastSeq;
    return this.state();
  }

  #newMessage(): Published {
    const group_id = this.id;
    const seq = this.messages.length + 1;
    const message_id = group_id * 1_000_000 + seq;
    const frame = encodeFrame('MESSAGING_DELIVER_REQUEST', messageDeliveryId(group_id, message_id), {
      content: `message ${seq}`,
      date_created,
      group_id,
      message_id,
      sender_sid: this.#members[0]?.[1] ?? '888.0000',
    });
    return { group_id, version: this.version, seq, message_id, frame };
  }
}
