import { encodeJoined } from '@hooligram/contract';
import type { Context } from '../context.ts';

/** So many channels are asked about, and published on, at a time: others get their turn in between. */
const portion = 500;
/** So few are published without asking. */
const unaskedMax = 8;

/**
 * Tells users that they are in a group, those whom a gateway holds: of a group of thousands most are not connected.
 *
 * Nobody is missed. The group is committed before Redis is asked. A gateway that subscribes to a user after that reads
 * their groups after its subscription, and finds it; so does one whose connection comes back.
 *
 * @param since the group's last seq
 */
export async function publishJoined(
  context: Context,
  { group_id, since }: { readonly group_id: number; readonly since: number },
  userIds: readonly number[],
): Promise<void> {
  const { publisher, names } = context;
  for (let from = 0; from < userIds.length; from += portion) {
    const some = userIds.slice(from, from + portion);
    for (const user_id of userIds.length > unaskedMax ? await listenedTo(context, some) : some) {
      publisher.publish(names.user(user_id), encodeJoined({ user_id, group_id, since }), user_id);
    }
  }
}

/** All of them if Redis does not say: what is published to nobody is lost, and does no harm. */
async function listenedTo(
  { names, countListeners }: Context,
  userIds: readonly number[],
): Promise<readonly number[]> {
  try {
    const counts = await countListeners(userIds.map((user_id) => names.user(user_id)));
    return userIds.filter((_, index) => counts[index] !== 0);
  } catch {
    return userIds;
  }
}
