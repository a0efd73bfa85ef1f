import {
  type Entry,
  type RequestReader,
  startClaims,
  startRequestReader,
  type Unreadable,
} from '@hooligram/bus';
import { untilWorks } from '@hooligram/service';
import type { CoreService } from '../config.ts';
import type { Context } from '../context.ts';
import type { Shard } from '../shards/shard.ts';
import type { Stores } from '../stores.ts';
import { runClaimed } from './claimed-entries.ts';
import { createInProgressMarkers } from './in-progress-markers.ts';
import { type EntrySource, Intake } from './intake.ts';

type Claims = ReturnType<typeof startClaims<unknown>>;

const see = 'docs/security.md#signing-what-goes-through-redis';

/** Takes entries from the request stream of each Redis, and claims those whose core has died. All share one intake. */
export class Intakes {
  readonly #lifecycle: CoreService['lifecycle'];
  readonly #context: Context;
  readonly #stores: Pick<Stores, 'deadlinesOf' | 'signatures'>;
  readonly #consumer: string;
  readonly #intake: Intake;
  readonly #claims: Claims[] = [];
  readonly #readers: RequestReader<unknown>[] = [];
  #isClosed = false;

  constructor(
    { lifecycle }: Pick<CoreService, 'lifecycle'>,
    context: Context,
    { stores, consumer }: { stores: Pick<Stores, 'deadlinesOf' | 'signatures'>; consumer: string },
  ) {
    this.#lifecycle = lifecycle;
    this.#context = context;
    this.#stores = stores;
    this.#consumer = consumer;
    this.#intake = new Intake(context);
  }

  /**
   * Begins with one Redis. To be called when all is started there that its requests may need.
   *
   * @param onStreamLost called when Redis has lost the stream, with all requests in it
   */
  async begin(shard: Shard, onStreamLost: () => void): Promise<void> {
    const { index, redis, clock, names: keys } = shard;
    const { log, names, publisher, config } = this.#context;
    const { signatures } = this.#stores;
    const { lifecycle } = shard.service;
    const intake = this.#intake;
    const deadlines = await this.#stores.deadlinesOf(shard);
    const leaveUnknown = (id: string, deadline: number) => this.#leaveUnknown(claims, id, deadline);
    const source: EntrySource = { index, clock, deadlines, leaveUnknown };
    if (this.#claims.length === 0) this.#registerClose();
    const own = { stream: keys.requests, group: keys.cores, consumer: this.#consumer, signatures };
    const claims = this.#startClaims(shard, source, own);
    const part = lifecycle.part('request reader');
    const reader = await untilWorks(lifecycle, 'request stream', () =>
      startRequestReader({
        ...own,
        part,
        blocking: redis.blocking,
        command: redis.command,
        entriesMax: config.CORE_ENTRIES_MAX,
        room: () => intake.room(),
        onEntry: (entry: Entry<unknown>) => intake.accept(entry, source),
        onUnreadable: (id, why) => this.#settleUnreadable(index, claims, id, why),
        onStreamLost() {
          log.warn(
            { see: 'docs/runbook.md#redisemptied' },
            'the request stream was lost; gateways are asked to write their requests again',
          );
          publisher.announce(names.gateways, 'lost', index);
          // The queues were lost with it, and no connection need have been closed.
          onStreamLost();
        },
      }),
    );
    this.#readers.push(reader);
    if (this.#isClosed) await reader.stop();
  }

  #startClaims(
    { index, redis, names, service }: Shard,
    { clock, deadlines }: EntrySource,
    own: Pick<Parameters<typeof startClaims>[0], 'stream' | 'group' | 'consumer' | 'signatures'>,
  ): Claims {
    const context = this.#context;
    const { config } = context;
    const markers = createInProgressMarkers(redis.command, names);
    const source = { shard: index, markers, deadlines, failed: new Map<string, number>() };
    const claims: Claims = startClaims({
      ...own,
      part: service.lifecycle.part('claims'),
      redis: redis.command,
      idleMs: config.CLAIM_IDLE_MS,
      everyMs: config.CLAIM_EVERY_MS,
      own: () => this.#intake.entryIds(index),
      now: clock.now,
      onRemoved: (id) =>
        countRemoved(context, id, 'an entry that was left is removed: no core that can read it took it'),
      onEntry: async (entry: Entry<unknown>, deliveries) => {
        const isKnown = await runClaimed(context, source, entry, deliveries);
        if (!isKnown) this.#leaveUnknown(claims, entry.id, entry.deadline);
      },
      // The first entry is claimed after `everyMs`, when `claims` exists.
      onUnreadable: (id, why) => this.#settleUnreadable(index, claims, id, why),
    });
    this.#claims.push(claims);
    return claims;
  }

  /** Closed in reverse: nothing new is accepted, what is in progress ends, and its entries are kept until then. */
  #registerClose(): void {
    const lifecycle = this.#lifecycle;
    lifecycle.onClose('claimed entries', () => {
      for (const claims of this.#claims) claims.close();
    });
    lifecycle.onClose('requests in progress', () => this.#intake.idle());
    lifecycle.onClose('claims', () => Promise.all(this.#claims.map((claims) => claims.stop())));
    lifecycle.onClose('request reader', () => {
      this.#isClosed = true;
      return Promise.all(this.#readers.map((reader) => reader.stop()));
    });
  }

  #leaveUnknown(claims: Claims, id: string, deadline: number): void {
    const { config, metrics } = this.#context;
    metrics.entriesUnreadable.inc({ outcome: 'left' });
    // Nothing of it is begun after its deadline. A core that began before, and its heir, have had their turn by then.
    claims.leave(id, deadline, config.STATEMENT_TIMEOUT_MS + 2 * config.CLAIM_IDLE_MS);
  }

  #settleUnreadable(shard: number, claims: Claims, id: string, { is, reason, deadline }: Unreadable): void {
    const { log, metrics, publisher } = this.#context;
    if (is === 'foreign') {
      log.warn({ entry: id, reason }, 'entry of another layout left to a core that knows it');
      metrics.entriesUnreadable.inc({ outcome: 'left' });
      claims.leave(id, deadline);
    } else if (is === 'unsigned') {
      log.error({ entry: id, reason, see }, 'an entry is left: it may be of a gateway with other keys');
      metrics.signaturesRefused.inc({ what: 'entry' });
      claims.leave(id, deadline);
    } else {
      countRemoved(this.#context, id, 'unreadable entry removed', reason);
      publisher.finish(id, publisher.failures(shard), shard);
    }
  }
}

function countRemoved({ log, metrics }: Context, entry: string, text: string, reason?: string): void {
  log.error({ entry, reason }, text);
  metrics.entriesUnreadable.inc({ outcome: 'removed' });
}
