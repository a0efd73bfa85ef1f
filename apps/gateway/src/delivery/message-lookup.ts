import type { Core } from '../core/core-client.ts';
import type { UserConnection } from '../groups/user-connection.ts';
import type { User } from '../groups/users.ts';
import type { ClientLimits } from '../limits/client-limits.ts';
import type { GatewayMetrics } from '../metrics.ts';
import type { CursorWriter } from './cursor-writer.ts';

type Deps = {
  readonly core: Core;
  readonly cursorWriter: CursorWriter;
  readonly metrics: GatewayMetrics;
  readonly clientLimits: Pick<ClientLimits, 'looksUp' | 'found'> | undefined;
};

/** Most acknowledgements of one connection that wait to be looked up; beyond it they cost a duplicate. */
const waitingMax = 256;

/** Asks the core where acknowledged messages belong that the message index does not know. */
export class MessageLookup {
  readonly #deps: Deps;
  readonly #waiting = new Map<UserConnection, Set<number>>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** One lookup of a connection is at the core at a time; what comes meanwhile goes with the next. */
  add(connection: UserConnection, messageId: number): void {
    const { clientLimits, metrics } = this.#deps;
    if (clientLimits && !clientLimits.looksUp(connection, connection.user.userId)) {
      metrics.acknowledgementsIgnored.inc();
      return;
    }
    let waiting = this.#waiting.get(connection);
    if (!waiting) {
      waiting = new Set();
      this.#waiting.set(connection, waiting);
      setImmediate(() => void this.#lookUp(connection));
    }
    if (waiting.size < waitingMax) waiting.add(messageId);
    else metrics.acknowledgementsIgnored.inc();
  }

  async #lookUp(connection: UserConnection): Promise<void> {
    const waiting = this.#waiting.get(connection);
    while (connection.isOpen && waiting && waiting.size > 0) {
      const message_ids = [...waiting];
      waiting.clear();
      const { user } = connection;
      const reply = await this.#deps.core.request('MESSAGE_LOOKUP', { user_id: user.userId, message_ids });
      if (!reply.ok) continue;
      this.#acknowledge(user, message_ids.length, reply.answer.found);
      this.#deps.clientLimits?.found(user.userId, reply.answer.found.length);
    }
    this.#waiting.delete(connection);
  }

  #acknowledge(
    user: User,
    requested: number,
    found: readonly (readonly [messageId: number, groupId: number, seq: number])[],
  ): void {
    for (const [, groupId, seq] of found) {
      const cursor = user.cursorIn(groupId);
      const change = cursor?.acknowledge(seq) ?? 'known';
      if (cursor && change === 'moved') this.#deps.cursorWriter.changed(cursor);
      if (change !== 'known') for (const each of user.connections) each.onAcknowledged(groupId, seq);
    }
    this.#deps.metrics.acknowledgementsIgnored.inc(Math.max(0, requested - found.length));
  }
}
