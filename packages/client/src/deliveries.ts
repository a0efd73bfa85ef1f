import type { DeliveryType, Frame } from '@hooligram/protocol';
import type { Emitter } from './emitter.ts';
import type { Group, Message } from './events.ts';
import { GroupList } from './group-list.ts';
import type { Link } from './link.ts';
import type { Seen } from './seen.ts';
import { uuid } from './uuid.ts';

const errorCharactersMax = 200;

/** Hands what comes to the handlers, one after the other within a group, and answers when they have ended. */
export class Deliveries {
  readonly list: GroupList;
  readonly #emitter: Emitter;
  readonly #seen: Seen;
  readonly #lanes = new Map<number, Promise<void>>();
  /** What the handlers of `group` were last given, as text: equal states are equal texts. */
  readonly #given = new Map<number, string>();
  #isStopped = false;
  #active = 0;
  #onIdle: (() => void)[] = [];
  /** The newest link on which the person is signed in. */
  #link: Link | undefined;

  constructor(emitter: Emitter, seen: Seen) {
    this.#emitter = emitter;
    this.#seen = seen;
    this.list = new GroupList((gone) => {
      for (const groupId of gone) this.#dropped(groupId);
      emitter.emit('groupsComplete', this.list.groups);
    });
  }

  /** Answers leave by this link from now on. */
  enter(link: Link): void {
    this.#link = link;
  }

  /** The link is signed in. Resolves when it is known that all groups came, or that this is not to be known. */
  async listGroups(link: Link): Promise<void> {
    const { listing } = this.list;
    const question = { after_groups: true } as const;
    const answer = await link.request('CONN_KEEP_ALIVE_REQUEST', uuid(), question, 'however long it takes');
    // No answer: the link has ended. The next one signs in, and asks again.
    if (!answer || this.#isStopped || link.ended.aborted) return;
    if (answer.ok && answer.payload.after_groups) this.list.complete(listing);
    else this.list.completeWhenQuiet(listing);
  }

  take(link: Link, frame: Frame<DeliveryType>): void {
    this.enter(link);
    if (frame.type === 'GROUP_DELIVER_REQUEST') this.#takeGroup(frame.id, frame.payload);
    else this.#takeMessage(frame.id, frame.payload);
  }

  /** The person left, and was told so by the answer. */
  left(groupId: number): void {
    if (this.list.remove(groupId)) this.#dropped(groupId);
  }

  /** Begins nothing more: what is not begun comes again. @returns when what was begun has ended */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.list.interrupt();
    if (this.#active > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  #takeMessage(id: string, message: Message): void {
    const { group_id, message_id } = message;
    const what = this.#seen.arrive(group_id, message_id);
    const accept = () => this.#link?.acknowledge('MESSAGING_DELIVER_SUCCESS', id, { message_id });
    if (what === 'handled') accept();
    if (what !== 'new') return;
    this.#inLane(group_id, async () => {
      await this.#emitter.whenHandled('message');
      await this.#run(async () => {
        try {
          await this.#emitter.deliver('message', message);
        } catch (error) {
          this.#seen.fail(group_id, message_id);
          this.#emitter.emit('error', error);
          this.#link?.acknowledge('MESSAGING_DELIVER_FAILURE', id, { errors: [textOf(error)] });
          return;
        }
        await this.#seen.handle(group_id, message_id);
        accept();
      });
    });
  }

  #takeGroup(id: string, group: Group): void {
    const { group_id } = group;
    const isOver = group.member_sids.length < 2;
    this.#seen.meet(group_id, group.date_created);
    if (isOver) this.list.remove(group_id);
    else this.list.set(group);
    this.#inLane(group_id, () =>
      this.#run(async () => {
        try {
          if (isOver) await this.#giveRemoval(group_id);
          else await this.#giveState(group);
        } catch (error) {
          this.#emitter.emit('error', error);
          this.#link?.acknowledge('GROUP_DELIVER_FAILURE', id, { errors: [textOf(error)] });
          return;
        }
        this.#link?.acknowledge('GROUP_DELIVER_SUCCESS', id, { group_id });
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
    this.#inLane(groupId, () =>
      this.#run(async () => {
        await this.#giveRemoval(groupId).catch((error: unknown) => this.#emitter.emit('error', error));
        if (!this.list.groups.has(groupId)) this.#seen.forget(groupId);
      }),
    );
  }

  #inLane(groupId: number, body: () => Promise<void>): void {
    const before = this.#lanes.get(groupId) ?? Promise.resolve();
    const lane = before.then(body).then(() => {
      if (this.#lanes.get(groupId) === lane) this.#lanes.delete(groupId);
    });
    this.#lanes.set(groupId, lane);
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
