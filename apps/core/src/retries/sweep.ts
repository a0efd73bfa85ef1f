import { encodeDeliveryCheck } from '@hooligram/contract';
import {
  beginSweep,
  isInfrastructureError,
  moveSweep,
  readSweepPlace,
  type SweepPlace,
  sweepGroups,
} from '@hooligram/db';
import { z } from 'zod';
import type { Context } from '../context.ts';
import { done, type Kind } from './job-type.ts';
import { readEpoch } from './redis-epoch.ts';

const groupsPerPage = 500;
const catchUpPauseMs = 100;

const schema = z.object({ from_start: z.boolean().default(false) });

/**
 * Walks all groups for members who lag, a bounded part each run, and tells the gateways how far those groups
 * are: what every other path has forgotten. The place is kept in Postgres, with the memory of Redis in which the
 * walk began. In another memory all armed audits are gone: the walk begins again, and goes on without pause.
 */
export const sweep = {
  name: 'sweep',
  schema,
  concurrency: 1,
  async handle(context: Context, { from_start }) {
    try {
      const place = await placeOf(context, from_start);
      const reached = await walk(context, place);
      if (reached?.is_catching_up) await goOn(context);
    } catch (error) {
      if (!isInfrastructureError(error)) throw error;
      // The next run is not far, and many that wait for the database would come all at once.
      context.log.warn({ err: error }, 'sweep skipped, the database does not answer');
    }
    return done;
  },
  replayed: () => ({ data: {}, key: 'replayed' }),
} satisfies Kind<z.infer<typeof schema>>;

async function placeOf(context: Context, fromStart: boolean): Promise<SweepPlace> {
  const epoch = await readEpoch(context);
  const place = await readSweepPlace(context.db);
  if (place?.epoch === epoch && !fromStart) return place;
  if (place?.epoch !== epoch) {
    context.log.warn(
      {},
      'Redis has no memory of this system: looking for forgotten deliveries in all groups',
    );
    // A core may rely for a moment longer on audits that are gone. This one begins after that moment.
    const delayMs = 2 * context.config.DELIVERY_ACK_DEADLINE_MS;
    await context.queues.add('sweep', [{ data: { from_start: true }, key: 'recovery', delayMs }]);
  }
  return beginSweep(context.db, epoch);
}

/**
 * Keeps its place after every page, so that what fails costs one page. A page that takes too long is tried again
 * with fewer groups: one group is always possible.
 *
 * @returns the place reached, or undefined when another run has moved it: of two at once, which a frozen core can
 *   cause, the later one goes no further
 */
async function walk(context: Context, from: SweepPlace): Promise<SweepPlace | undefined> {
  const { config, db } = context;
  let place = from;
  let pageMax = groupsPerPage;
  for (let left = config.SWEEP_GROUPS_PER_RUN; left > 0; ) {
    const limit = Math.min(left, pageMax);
    const page = await pageAfter(context, place.after_group_id, limit);
    if (!page) {
      pageMax = Math.ceil(limit / 2);
      continue;
    }
    const isEnd = page.groups < limit;
    const next = isEnd
      ? { ...place, after_group_id: 0, is_catching_up: false }
      : { ...place, after_group_id: page.through_group_id };
    if (!(await moveSweep(db, next))) return undefined;
    place = { ...next, revision: place.revision + 1 };
    if (isEnd) return place;
    left -= limit;
  }
  return place;
}

/** @returns undefined if so many groups take too long */
async function pageAfter(
  { config, db, redis, names, jobMetrics }: Context,
  after_group_id: number,
  limit: number,
) {
  const deadlineMs = config.DELIVERY_ACK_DEADLINE_MS;
  try {
    const page = await sweepGroups(db, { after_group_id, limit, deadlineMs });
    await Promise.all(
      page.overdue.map((audit) => redis.publish(names.group(audit.group_id), encodeDeliveryCheck(audit))),
    );
    jobMetrics.audited('sweep', page.overdue.length);
    jobMetrics.swept(page.groups);
    return page;
  } catch (error) {
    if (limit > 1 && isInfrastructureError(error)) return undefined;
    throw error;
  }
}

async function goOn({ queues }: Context): Promise<void> {
  await queues.add('sweep', [{ data: {}, key: 'catch-up', delayMs: catchUpPauseMs }]);
}
