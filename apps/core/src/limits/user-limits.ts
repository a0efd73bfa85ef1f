import { LimitReport, type Metrics } from '@hooligram/service';
import type { UserLimitsConfig } from './user-config.ts';
import { UserLimit, type UserLimitStores } from './user-limit.ts';
import { UserRate } from './user-rate.ts';

const limits = [
  'messages',
  'sign_ins',
  'group_members',
  'groups_created',
  'members_added',
  'strangers_added',
  'unknown_members',
] as const;

export type UserLimits = {
  readonly report: LimitReport<(typeof limits)[number]>;
  readonly messages: UserRate;
  /** Those that succeed: nobody else can use them up. */
  readonly signIns: UserRate;
  readonly membersMax: number;
  /** One for each rate: all of them have to have room. */
  readonly created: readonly UserLimit[];
  /** Members put into groups, whoever they are: what a user makes the system store. */
  readonly added: UserLimit;
  /** Strangers put into groups, by who put them there: how often others do that to somebody is no limit that others can fill. */
  readonly strangers: UserLimit;
  readonly unknown: UserLimit;
};

export function createUserLimitCounter(metrics: Pick<Metrics, 'counter'>) {
  return metrics.counter('core_limited_total', 'Requests of users that a limit refused', { limit: limits });
}

export function createUserLimits(
  config: UserLimitsConfig,
  options: UserLimitStores & { metrics: Pick<Metrics, 'counter'> },
): UserLimits {
  const { metrics, log } = options;
  const counter = createUserLimitCounter(metrics);
  const limit = (name: string, rate: UserLimitsConfig['LIMIT_MESSAGES_PER_USER']) =>
    new UserLimit(options, name, rate);
  return {
    report: new LimitReport(counter, log),
    messages: new UserRate(config.LIMIT_MESSAGES_PER_USER, limit('messages', config.LIMIT_MESSAGES_PER_USER)),
    signIns: new UserRate(config.LIMIT_SIGN_INS_PER_USER, limit('sign_ins', config.LIMIT_SIGN_INS_PER_USER)),
    membersMax: config.LIMIT_GROUP_MEMBERS,
    created: config.LIMIT_GROUPS_CREATED_PER_USER.map((rate) =>
      limit(`groups_created_${rate.seconds}`, rate),
    ),
    added: limit('members_added', config.LIMIT_MEMBERS_ADDED_PER_USER),
    strangers: limit('strangers_added', config.LIMIT_STRANGERS_ADDED_PER_USER),
    unknown: limit('unknown_members', config.LIMIT_UNKNOWN_MEMBERS_PER_USER),
  };
}
