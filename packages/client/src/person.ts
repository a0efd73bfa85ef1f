import { Deliveries } from './deliveries.ts';
import type { Emitter } from './emitter.ts';
import { closedError } from './errors.ts';
import type { Link } from './link.ts';
import { Outbox } from './outbox.ts';
import { Seen } from './seen.ts';
import type { Vault } from './vault.ts';

/** Whom the client signs in for, with all that is theirs alone. */
export class Person {
  readonly sid: string;
  readonly outbox: Outbox;
  readonly deliveries: Deliveries;

  constructor(vault: Vault, emitter: Emitter, sid: string, stored: ReadonlyMap<string, unknown>) {
    this.sid = sid;
    this.deliveries = new Deliveries(emitter, new Seen(vault, sid, stored));
    this.outbox = new Outbox(vault, emitter, sid, stored, (request) => {
      // The others are sent the new state; who left is told by the answer alone.
      if (request.type === 'GROUP_LEAVE_REQUEST') this.deliveries.left(request.payload.group_id);
    });
  }

  /** The link is signed in as this person. */
  enter(link: Link): void {
    this.deliveries.enter(link);
    void this.deliveries.listGroups(link);
    this.outbox.flow(link);
    link.ended.addEventListener('abort', () => this.deliveries.list.interrupt(), { once: true });
  }

  /** @returns when the handlers that run have ended */
  async leave(how: 'leave' | 'forget'): Promise<void> {
    this.outbox[how](closedError());
    await this.deliveries.stop();
  }
}
