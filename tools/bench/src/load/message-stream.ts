import type { LoadClient, OnReply } from './client.ts';

/** Behind the numbers of the message and its group, so that it is as long as a usual message. */
const filler = ' the quick brown fox jumps over the lazy dog, yes';

/**
 * The messages of one sender to one group, numbered from 0, so that each receiver can tell which one is missing. All
 * times are milliseconds of the process's clock.
 */
export class MessageStream {
  readonly groupId: number;
  readonly members: readonly LoadClient[];
  /** A member who signs in again, or whose acknowledgement was not noted in time, may be sent a message again. */
  mayRepeat = false;
  /** By number: when the message was sent, or should have been sent. */
  readonly #sentAt: number[] = [];
  /** How many messages each member has received. */
  readonly #received = new Map<LoadClient, number>();

  /** @param members the sender first */
  constructor(groupId: number, members: readonly LoadClient[]) {
    this.groupId = groupId;
    this.members = members;
    for (const member of members) this.#received.set(member, 0);
  }

  get sentCount(): number {
    return this.#sentAt.length;
  }

  /** @param sentAt the moment from which the latency counts */
  send(sentAt: number, onReply: OnReply): void {
    const number = this.#sentAt.push(sentAt) - 1;
    const content = `${String(number).padStart(8, '0')} ${this.groupId}${filler}`;
    this.members[0]?.send('MESSAGING_SEND', { group_id: this.groupId, content }, onReply);
  }

  /**
   * Accepts a delivery.
   * @returns when the message was sent; undefined for one that may come again; or the fault as a text: a message is
   *   missing, came twice, or was delivered to a user who is no member
   */
  receive(client: LoadClient, number: number): number | string | undefined {
    const expected = this.#received.get(client);
    if (expected === undefined)
      return `${client.sid} was sent a message of group ${this.groupId}, not theirs`;
    if (number < expected && this.mayRepeat) return undefined;
    if (number !== expected) {
      return `${client.sid} was sent message ${number} of group ${this.groupId}, after ${expected - 1}`;
    }
    const sentAt = this.#sentAt[number];
    if (sentAt === undefined) return `message ${number} of group ${this.groupId} was never sent`;
    this.#received.set(client, expected + 1);
    return sentAt;
  }
}
