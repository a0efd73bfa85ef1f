import { Deliveries } from './deliveries.ts';
import type { Emitter } from './emitter.ts';
import { closedError } from './errors.ts';
import { HandledMessages } from './handled-messages.ts';
import { Outbox } from './outbox.ts';
import type { Socket } from './socket.ts';
import type { Store } from './store.ts';

/** The user that the client signs in, with their outbox and their deliveries. */
export class User {
  readonly sid: string;
  readonly outbox: Outbox;
  readonly deliveries: Deliveries;

  constructor(store: Store, emitter: Emitter, sid: string, stored: ReadonlyMap<string, unknown>) {
    this.sid = sid;
    this.deliveries = new Deliveries(emitter, new HandledMessages(store, sid, stored));
    this.outbox = new Outbox(store, emitter, sid, stored, (request) => {
      // The other members are sent the new state; the user who left has only the answer.
      if (request.type === 'GROUP_LEAVE_REQUEST') this.deliveries.left(request.payload.group_id);
    });
  }

  /** The socket is signed in as this user. */
  activate(socket: Socket): void {
    this.deliveries.activate(socket);
    void this.deliveries.listGroups(socket);
    this.outbox.resume(socket);
    socket.ended.addEventListener('abort', () => this.deliveries.list.interrupt(), { once: true });
  }

  /** @returns when the handlers that run have ended */
  async deactivate(): Promise<void> {
    this.outbox.deactivate(closedError());
    await Promise.all([this.deliveries.stop(), this.outbox.handled()]);
  }

  /** As deactivate, and the storage forgets the requests without an answer. */
  async forget(): Promise<void> {
    this.outbox.forget(closedError());
    await this.deliveries.stop();
  }
}
