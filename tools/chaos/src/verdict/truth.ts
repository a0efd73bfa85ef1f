import type { SendRecord } from './ledger.ts';

/** What the database holds when all is over. */
export type Truth = {
  /** All messages, in the order of group and seq. */
  readonly messages: readonly StoredMessage[];
  /** Every joining and leaving of every person, in the order in which they were committed. */
  readonly memberships: readonly MembershipChange[];
  readonly groups: readonly StoredGroup[];
};

export type StoredMessage = {
  readonly messageId: number;
  readonly groupId: number;
  readonly seq: number;
  readonly senderSid: string;
  readonly requestId: string;
  readonly content: string;
};

export type MembershipChange = {
  readonly groupId: number;
  readonly sid: string;
  readonly change: 'joined' | 'left';
  /** The group's `last_seq` at that moment: what is stored later has a greater one. */
  readonly seq: number;
};

type StoredGroup = { readonly groupId: number; readonly name: string };

/**
 * Finds what became of a message that was sent: by its UUID, so that other content is noticed; by its content where
 * it had none. What had none, got SUCCESS, and was stored with other content is found to be lost.
 */
export function storedBySend(
  messages: readonly StoredMessage[],
): (send: Pick<SendRecord, 'sid' | 'id' | 'content' | 'isOnce'>) => StoredMessage | undefined {
  const byId = new Map(messages.map((message) => [`${message.senderSid} ${message.requestId}`, message]));
  const byContent = new Map(messages.map((message) => [`${message.senderSid} ${message.content}`, message]));
  return ({ sid, id, content, isOnce }) =>
    isOnce ? byContent.get(`${sid} ${content}`) : byId.get(`${sid} ${id}`);
}

/** The messages with `after < seq <= through` are those stored while the person was a member. */
export type Stay = { readonly after: number; through: number };

/** Who was in which group when, by `memberKey`; the last stay is open (`through` Infinity) for members of today. */
export function staysOf(memberships: readonly MembershipChange[]): Map<string, Stay[]> {
  const stays = new Map<string, Stay[]>();
  for (const { groupId, sid, change, seq } of memberships) {
    const key = memberKey(groupId, sid);
    const list = stays.get(key) ?? [];
    stays.set(key, list);
    const last = list.at(-1);
    if (change === 'joined') list.push({ after: seq, through: Number.POSITIVE_INFINITY });
    else if (last) last.through = seq;
  }
  return stays;
}

export function memberKey(groupId: number, sid: string): string {
  return `${groupId} ${sid}`;
}
