import type { Placement, ShardState } from '@hooligram/bus';
import type { DeliveryCheckSchedule } from './delivery-check-schedule.ts';

/** Schedules the delivery checks of groups. */
export type DeliveryChecks = Pick<DeliveryCheckSchedule, 'schedule' | 'scheduleNext' | 'settled'>;

/**
 * Delivery checks with several Redis: a group's waits on its own. What cannot be scheduled because that one is away is
 * noted as missed by it, and nobody waits for that: a sweep finds these groups when it is back.
 */
export class ShardedDeliveryChecks implements DeliveryChecks {
  readonly #placement: Placement;
  readonly #states: readonly ShardState[];
  readonly #schedules: (DeliveryCheckSchedule | undefined)[] = [];

  constructor(placement: Placement, states: readonly ShardState[]) {
    this.#placement = placement;
    this.#states = states;
  }

  /** From now on this Redis is there. */
  join(shard: number, schedule: DeliveryCheckSchedule): void {
    this.#schedules[shard] = schedule;
  }

  schedule(group_id: number): void {
    this.#scheduleOf(group_id)?.schedule(group_id);
  }

  scheduleNext(group_id: number): void {
    this.#scheduleOf(group_id)?.scheduleNext(group_id);
  }

  /** Resolves when everything scheduled so far is in Redis, or was missed. Never rejects. */
  async settled(): Promise<void> {
    await Promise.all(this.#states.map((state, shard) => this.#settled(state, shard)));
  }

  #settled(state: ShardState, shard: number): Promise<void> | undefined {
    const schedule = this.#schedules[shard];
    return schedule && !state.isSilent ? state.settle(schedule.settled()) : undefined;
  }

  #scheduleOf(group_id: number): DeliveryCheckSchedule | undefined {
    const shard = this.#placement.of(group_id);
    const schedule = this.#schedules[shard];
    const state = this.#states[shard];
    if (schedule && !state?.isAway) return schedule;
    state?.miss();
    return undefined;
  }
}
