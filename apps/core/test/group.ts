import type { Db } from '@hooligram/db';
import { uniqueSid } from '@hooligram/testkit';
import type { FakeGateway } from './fake-gateway.ts';

export type Person = { user_id: number; sid: string };

/** A group of new people, the first of whom made it, heard as a gateway hears that holds all of them. */
export async function group(gateway: FakeGateway, db: Db, size = 2) {
  const sids = Array.from({ length: size }, uniqueSid);
  const maker = await db.prisma.user.create({ data: { sid: sids[0] as string } });
  const made = await gateway.ask('GROUP_CREATE', {
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
  const people: Person[] = members.map(({ user }) => ({ user_id: Number(user.id), sid: user.sid }));
  const { names } = gateway;
  await gateway.listen(names.group(made.group_id), ...people.map(({ user_id }) => names.user(user_id)));
  const [one, two] = people as [Person, Person];
  return { group_id: made.group_id, people, one, two };
}

export function send(gateway: FakeGateway, group_id: number, { user_id, sid }: Person, content = 'hello') {
  return gateway.ask('MESSAGING_SEND', { user_id, sid, repeatable: true, group_id, content });
}
