import { expect, test } from '@jest/globals';
import { Credit } from '../core/credit.ts';
import type { UserConnection } from './user-connection.ts';
import { User } from './users.ts';

test('what was asked for a user is not requested if nobody of theirs is there any more at its turn', () => {
  const credit = new Credit(1);
  const size = { most: 1, probable: 1 };
  const user = new User(7, '1.0', Promise.resolve());
  const connections = [{}, {}] as UserConnection[];
  for (const connection of connections) user.add(connection);
  const said: string[] = [];
  const take = (name: string) =>
    credit.take(user, {
      size,
      begin: () => void said.push(`${name} begun`),
      withdraw: () => void said.push(`${name} withdrawn`),
    });
  take('first');
  take('second');
  take('third');
  user.remove(connections[0] as UserConnection);
  credit.giveBack(size);
  user.remove(connections[1] as UserConnection);
  credit.giveBack(size);
  expect(said).toEqual(['first begun', 'second begun', 'third withdrawn']);
});
