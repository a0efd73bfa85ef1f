import type { SendRecord } from './history.ts';
import { ensure } from './maps.ts';

/** The content of the database at the end of the run. */
export type DatabaseSnapshot = {
  /** All messages, in the order of group and seq. */
  readonly messages: readonly StoredMessage[];
  /** Every joining and leaving of every user, in the order of the commits. */
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
  /** The group's `last_seq` at that moment. Later messages have a greater seq. */
  readonly seq: number;
};

export type StoredGroup = { readonly groupId: number; readonly name: string };

/**
 * Finds the stored message of a send: by its UUID, so that altered content is noticed; by its content if it had no UUID.
 * A message without a UUID that got SUCCESS and was stored with other content counts as lost.
 */
export function storedBySend(
  messages: readonly StoredMessage[],
): (send: Pick<SendRecord, 'sid' | 'id' | 'content' | 'isOnce'>) => StoredMessage | undefined {
  const byId = new Map(messages.map((message) => [`${message.senderSid} ${message.requestId}`, message]));
  const byContent = new Map(messages.map((message) => [`${message.senderSid} ${message.content}`, message]));
  return ({ sid, id, content, isOnce }) =>
    isOnce ? byContent.get(`${sid} ${content}`) : byId.get(`${sid} ${id}`);
}

/** The messages with `after < seq <= through` are those stored while the user was a member. */
export type Stay = { readonly after: number; through: number };

/** The stays of each user in each group, by `memberKey`. The last one of a present member has no end (Infinity). */
export function staysOf(memberships: readonly MembershipChange[]): Map<string, Stay[]> {
  const stays = new Map<string, Stay[]>();
  for (const { groupId, sid, change, seq } of memberships) {
    const list = ensure(stays, memberKey(groupId, sid), () => []);
    const last = list.at(-1);
    if (change === 'joined') list.push({ after: seq, through: Number.POSITIVE_INFINITY });
    else if (last) last.through = seq;
  }
  return stays;
}

export function memberKey(groupId: number, sid: string): string {
  return `${groupId} ${sid}`;
}
