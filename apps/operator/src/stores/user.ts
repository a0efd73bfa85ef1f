import { type Db, findUser } from '@hooligram/db';
import { Refusal } from '../program.ts';

/** What commands take for a user. */
export const userText = 'sid, such as 1.5550100, or user id';

/** @param name as `userText` says @throws Refusal if there is no such user */
export async function userOf(db: Db, name: string) {
  const user = await findUser(db, /^\d+$/.test(name) ? Number(name) : name);
  if (!user) throw new Refusal(`there is no user ${name}: give a ${userText}`);
  return user;
}
