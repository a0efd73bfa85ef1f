import type { LoadClient } from './client.ts';

/** Beyond the number of the message, so that it is as long as what people write. */
const filler = ' the quick brown fox jumps over the lazy dog, and so on';

/** What is said in one group: by one sender, numbered from 0, so that each receiver can tell what is missing. */
export class Conversation {
  readonly groupId: number;
  readonly sender: LoadClient;
  readonly members: readonly LoadClient[];
  /** By number: when it was sent, or should have been; milliseconds of the process' clock. */
  readonly sentAt: number[] = [];
  /** How many each member has received. */
  readonly received = new Map<LoadClient, number>();

  constructor(groupId: number, members: readonly LoadClient[]) {
    this.groupId = groupId;
    this.members = members;
    this.sender = members[0] as LoadClient;
    for (const member of members) this.received.set(member, 0);
  }

  /** @param sentAt from when its latency counts */
  send(sentAt: number, onAnswer: (isSuccess: boolean, payload: () => unknown) => void): void {
    const number = this.sentAt.push(sentAt) - 1;
    const content = `${String(number).padStart(8, '0')}${filler}`;
    this.sender.request('MESSAGING_SEND', { group_id: this.groupId, content }, onAnswer);
  }

  /**
   * Takes a delivery.
   * @returns when the message was sent, or what is wrong: one is missing, came twice, or is not theirs
   */
  receive(client: LoadClient, number: number): number | string {
    const expected = this.received.get(client);
    if (expected === undefined)
      return `${client.sid} was sent a message of group ${this.groupId}, not theirs`;
    if (number !== expected) {
      return `${client.sid} was sent message ${number} of group ${this.groupId}, after ${expected - 1}`;
    }
    const sentAt = this.sentAt[number];
    if (sentAt === undefined) return `message ${number} of group ${this.groupId} was never sent`;
    this.received.set(client, expected + 1);
    return sentAt;
  }
}
