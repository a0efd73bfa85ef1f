import { integer, rate, rates } from '@hooligram/service';
import { z } from 'zod';

/** What one user may make the system store, and whom they may reach. In force with `LIMITS_ENABLED`. */
export const userLimitsConfig = z.object({
  LIMIT_MESSAGES_PER_USER: rate('1200/60', 'messages of a user'),
  LIMIT_SIGN_INS_PER_USER: rate('100/120', 'successful sign-ins of a user on all gateways together'),
  LIMIT_GROUP_MEMBERS: integer({ min: 2 }).default(1_000).describe('most members of a group'),
  LIMIT_GROUPS_CREATED_PER_USER: rates('120/60,500/86400', 'groups that a user creates'),
  LIMIT_MEMBERS_ADDED_PER_USER: rate('5000/86400', 'members that a user puts into groups'),
  LIMIT_STRANGERS_ADDED_PER_USER: rate(
    '500/86400',
    'of these, strangers: users who have shared no group with the user for a day',
  ),
  LIMIT_UNKNOWN_MEMBERS_PER_USER: rate('1000/86400', 'numbers without a user that a user names as members'),
});

export type UserLimitsConfig = Readonly<z.output<typeof userLimitsConfig>>;
