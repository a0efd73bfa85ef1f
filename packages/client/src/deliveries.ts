import type { DeliveryType, Frame } from '@hooligram/protocol';
import type { Emitter } from './emitter.ts';
import type { Group, Message } from './events.ts';
import { GroupList } from './group-list.ts';
import type { HandledMessages } from './handled-messages.ts';
import { KeyedQueue } from './keyed-queue.ts';
import type { Socket } from './socket.ts';
import { uuid } from './uuid.ts';

const errorCharactersMax = 200;

/** Gives deliveries to the handlers, one after the other within a group, and answers when they have ended. */
export class Deliveries {
  readonly list: GroupList;
  readonly #emitter: Emitter;
  readonly #handled: HandledMessages;
  readonly #queue = new KeyedQueue<number>();
  /** What the handlers of `group` were last given, as text: equal states are equal texts. */
  readonly #given = new Map<number, string>();
  #isStopped = false;
  #active = 0;
  #onIdle: (() => void)[] = [];
  /** The newest socket on which the user is signed in. */
  #socket: Socket | undefined;

  constructor(emitter: Emitter, seen: HandledMessages) {
    this.#emitter = emitter;
    this.#handled = seen;
    this.list = new GroupList((gone) => {
      for (const groupId of gone) this.#dropped(groupId);
      emitter.emit('groupsComplete', this.list.groups);
    });
  }

  /** Answers leave by this socket from now on. */
  activate(socket: Socket): void {
    this.#socket = socket;
  }

  /** The socket is signed in. Resolves when it is known that all groups came, or that this is not to be known. */
  async listGroups(socket: Socket): Promise<void> {
    const { listing } = this.list;
    const request = { after_groups: true } as const;
    const answer = await socket.request('CONN_KEEP_ALIVE_REQUEST', uuid(), request, 'however long it takes');
    // No answer: the socket has ended. The next one signs in, and asks again.
    if (!answer || this.#isStopped || socket.ended.aborted) return;
    if (answer.ok && answer.payload.after_groups) this.list.complete(listing);
    else this.list.completeWhenQuiet(listing);
  }

  receive(socket: Socket, frame: Frame<DeliveryType>): void {
    this.activate(socket);
    if (frame.type === 'GROUP_DELIVER_REQUEST') this.#receiveGroup(frame.id, frame.payload);
    else this.#receiveMessage(frame.id, frame.payload);
  }

  /** The user left, here or in another client; the answer to that is all that the server sends of it. */
  left(groupId: number): void {
    if (this.list.remove(groupId)) this.#dropped(groupId);
  }

  /** Begins no further handlers: their deliveries come again. @returns when those that run have ended */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.list.interrupt();
    if (this.#active > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  #receiveMessage(id: string, message: Message): void {
    const { group_id, message_id } = message;
    const what = this.#handled.arrive(group_id, message_id);
    const accept = () => this.#socket?.acknowledge('MESSAGING_DELIVER_SUCCESS', id, { message_id });
    if (what === 'handled') accept();
    if (what !== 'new') return;
    void this.#queue.run(group_id, async () => {
      await this.#emitter.whenHandled('message');
      await this.#run(async () => {
        try {
          await this.#emitter.deliver('message', message);
        } catch (error) {
          this.#handled.fail(group_id, message_id);
          this.#emitter.emit('error', error);
          this.#socket?.acknowledge('MESSAGING_DELIVER_FAILURE', id, { errors: [textOf(error)] });
          return;
        }
        await this.#handled.handle(group_id, message_id);
        accept();
      });
    });
  }

  #receiveGroup(id: string, group: Group): void {
    const { group_id } = group;
    const isOver = group.member_sids.length < 2;
    this.#handled.meet(group_id, group.date_created);
    if (isOver) this.list.remove(group_id);
    else this.list.set(group);
    void this.#queue.run(group_id, () =>
      this.#run(async () => {
        try {
          if (isOver) await this.#giveRemoval(group_id);
          else await this.#giveState(group);
        } catch (error) {
          this.#emitter.emit('error', error);
          this.#socket?.acknowledge('GROUP_DELIVER_FAILURE', id, { errors: [textOf(error)] });
          return;
        }
        this.#socket?.acknowledge('GROUP_DELIVER_SUCCESS', id, { group_id });
      }),
    );
  }

  async #giveState(group: Group): Promise<void> {
    const text = JSON.stringify(group);
    if (this.#given.get(group.group_id) === text) return;
    this.#given.delete(group.group_id);
    await this.#emitter.deliver('group', group);
    this.#given.set(group.group_id, text);
  }

  async #giveRemoval(groupId: number): Promise<void> {
    await this.#emitter.deliver('groupRemoved', groupId);
    this.#given.delete(groupId);
  }

  #dropped(groupId: number): void {
    void this.#queue.run(groupId, () =>
      this.#run(async () => {
        await this.#giveRemoval(groupId).catch((error: unknown) => this.#emitter.emit('error', error));
        // After the stop, the storage has what the next deliveries of this user have handled.
        if (!this.#isStopped && !this.list.groups.has(groupId)) this.#handled.forget(groupId);
      }),
    );
  }

  async #run(body: () => Promise<void>): Promise<void> {
    if (this.#isStopped) return;
    this.#active += 1;
    await body();
    this.#active -= 1;
    if (this.#active === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  }
}

function textOf(error: unknown): string {
  return String(error instanceof Error ? error.message : error).slice(0, errorCharactersMax);
}
