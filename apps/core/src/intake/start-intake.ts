import { type Entry, startClaims, startRequestReader, type Unreadable } from '@hooligram/bus';
import { untilWorks } from '@hooligram/service';
import type { CoreService } from '../config.ts';
import type { Context } from '../context.ts';
import type { Stores } from '../stores.ts';
import { runClaimed } from './claimed-entries.ts';
import { createInProgressMarkers } from './in-progress-markers.ts';
import { Intake } from './intake.ts';

type Claims = ReturnType<typeof startClaims<unknown>>;

const see = 'docs/security.md#signing-what-goes-through-redis';

/**
 * Begins to take entries from the request stream, and to claim those whose core has died.
 *
 * @param options.onStreamLost called when Redis has lost the stream, with all requests in it
 */
export async function startIntake(
  { config, log, lifecycle }: CoreService,
  context: Context,
  {
    stores: { redis, signatures },
    consumer,
    onStreamLost,
  }: { stores: Pick<Stores, 'redis' | 'signatures'>; consumer: string; onStreamLost(): void },
): Promise<void> {
  const { clock, names, publisher } = context;
  const intake = new Intake(context);
  const markers = createInProgressMarkers(redis.command, names);
  const source = { stream: names.requests, group: names.cores, consumer, signatures };
  const claims: Claims = startClaims({
    ...source,
    part: lifecycle.part('claims'),
    redis: redis.command,
    idleMs: config.CLAIM_IDLE_MS,
    everyMs: config.CLAIM_EVERY_MS,
    own: () => intake.entryIds(),
    now: clock.now,
    onRemoved: (id) =>
      countRemoved(context, id, 'an entry that was left is removed: no core that can read it took it'),
    onEntry: (entry: Entry<unknown>, deliveries) => runClaimed(context, markers, entry, deliveries),
    // The first entry is claimed after `everyMs`, when `claims` exists.
    onUnreadable: (id, why) => settleUnreadable(context, claims, id, why),
  });
  // Closed in reverse: nothing new is accepted, what is in progress ends, and its entries are kept until then.
  lifecycle.onClose('claimed entries', () => claims.close());
  lifecycle.onClose('requests in progress', () => intake.idle());
  lifecycle.onClose('claims', () => claims.stop());
  const part = lifecycle.part('request reader');
  const reader = await untilWorks(lifecycle, 'request stream', () =>
    startRequestReader({
      ...source,
      part,
      blocking: redis.blocking,
      command: redis.command,
      entriesMax: config.CORE_ENTRIES_MAX,
      room: () => intake.room(),
      onEntry: (entry: Entry<unknown>) => intake.accept(entry),
      onUnreadable: (id, why) => settleUnreadable(context, claims, id, why),
      onStreamLost() {
        log.warn('the request stream was lost; gateways are asked to write their requests again');
        publisher.publish(names.gateways, 'lost');
        // The queues were lost with it, and no connection need have been closed.
        onStreamLost();
      },
    }),
  );
  lifecycle.onClose('request reader', () => reader.stop());
}

function settleUnreadable(
  context: Context,
  claims: Claims,
  id: string,
  { is, reason, deadline }: Unreadable,
): void {
  if (is === 'foreign') {
    context.log.warn({ entry: id, reason }, 'entry of another layout left to a core that knows it');
    context.metrics.entriesUnreadable.inc({ outcome: 'left' });
    claims.leave(id, deadline);
  } else if (is === 'unsigned') {
    context.log.error({ entry: id, reason, see }, 'an entry is left: it may be of a gateway with other keys');
    context.metrics.signaturesRefused.inc({ what: 'entry' });
    claims.leave(id, deadline);
  } else {
    countRemoved(context, id, 'unreadable entry removed', reason);
    context.publisher.finish(id);
  }
}

function countRemoved({ log, metrics }: Context, entry: string, text: string, reason?: string): void {
  log.error({ entry, reason }, text);
  metrics.entriesUnreadable.inc({ outcome: 'removed' });
}
