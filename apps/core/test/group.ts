import type { Db } from '@hooligram/db';
import { uniqueSid } from '@hooligram/testkit';
import type { FakeGateway } from './fake-gateway.ts';

export type User = { user_id: number; sid: string };

/** A group of new users, which the first of them created. The gateway is subscribed as if it held all of them. */
export async function group(gateway: FakeGateway, db: Db, size = 2) {
  const sids = Array.from({ length: size }, uniqueSid);
  const maker = await db.prisma.user.create({ data: { sid: sids[0] as string } });
  const made = await gateway.request('GROUP_CREATE', {
    user_id: Number(maker.id),
    sid: sids[0] as string,
    repeatable: true,
    group_name: 'group',
    member_sids: sids,
  });
  const members = await db.prisma.groupMember.findMany({
    where: { groupId: made.group_id },
    include: { user: true },
    orderBy: { userId: 'asc' },
  });
  const people: User[] = members.map(({ user }) => ({ user_id: Number(user.id), sid: user.sid }));
  const { names } = gateway;
  await gateway.subscribe(names.group(made.group_id), ...people.map(({ user_id }) => names.user(user_id)));
  const [one, two] = people as [User, User];
  return { group_id: made.group_id, people, one, two };
}

export function send(gateway: FakeGateway, group_id: number, { user_id, sid }: User, content = 'hello') {
  return gateway.request('MESSAGING_SEND', { user_id, sid, repeatable: true, group_id, content });
}
