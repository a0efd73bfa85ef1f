import type { Names } from '@hooligram/bus';
import { UnreadableError } from '@hooligram/contract';
import type { GatewayContext } from '../context.ts';
import { findGroups } from './resync.ts';

/** How often the groups of users are looked for whose channels bring unreadable publications again and again. */
const pauseMs = 500;
const see = 'docs/security.md#signing-what-goes-through-redis';

/**
 * A publication that cannot be read, or is not to be believed, costs its own channel a look, and nothing else. It stood for something that
 * happened: a group is fetched, and a user's groups are looked for. An answer's request is written again when it is due.
 */
export class UnreadablePublications {
  readonly #context: () => GatewayContext;
  readonly #names: Names;
  readonly #users = new Set<number>();
  #timer: NodeJS.Timeout | undefined;

  /** @param context of the database's epoch, now */
  constructor(context: () => GatewayContext, names: Names) {
    this.#context = context;
    this.#names = names;
  }

  /** Takes a publication that could not be read, or whose handling failed. */
  receive(channel: string, error: unknown): void {
    const { metrics, log } = this.#context();
    const type = this.#typeOf(channel);
    metrics.publicationsUnreadable.inc({ channel: type });
    if (error instanceof UnreadableError) {
      log.warn({ type, reason: error.message }, 'a publication cannot be read');
    } else log.error({ type, err: error }, 'handling a publication failed');
    this.#compensate(channel);
  }

  /** Takes a publication that is not signed with a key that is known here. A node with other keys may have meant it. */
  refuse(channel: string): void {
    const { metrics, log } = this.#context();
    const type = this.#typeOf(channel);
    metrics.signaturesRefused.inc({ channel: type });
    log.error({ type, see }, 'a publication is not signed with a key that is known here');
    this.#compensate(channel);
  }

  #typeOf(channel: string) {
    const subject = this.#names.subjectOf(channel);
    return subject?.type ?? (channel === this.#names.gateways ? 'gateways' : 'answers');
  }

  #compensate(channel: string): void {
    const subject = this.#names.subjectOf(channel);
    if (subject?.type === 'group') this.#context().groups.find(subject.id)?.onUnreadable();
    if (subject?.type !== 'user') return;
    this.#users.add(subject.id);
    this.#timer ??= setTimeout(() => this.#look(), pauseMs);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #look(): void {
    const context = this.#context();
    this.#timer = undefined;
    const userIds = [...this.#users].filter((userId) => context.users.find(userId));
    this.#users.clear();
    void findGroups(context, userIds);
  }
}
