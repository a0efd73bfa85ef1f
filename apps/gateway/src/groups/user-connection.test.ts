import { expect, test } from '@jest/globals';
import type { ClientSocket } from '../client-socket.ts';
import type { GroupFeed } from './group-feed.ts';
import { UserConnection } from './user-connection.ts';
import { User } from './users.ts';

/** A connection that is in so many groups. */
function inGroups(count: number) {
  const socket = { isOpen: true, unreadBytes: 0, leave() {} };
  const user = new User(1, '1.5550100', Promise.resolve());
  const window = { messages: 256, bytes: 1_048_576 };
  const connection = new UserConnection(user, socket as unknown as ClientSocket, window);
  let removed = 0;
  for (let id = 1; id <= count; id += 1) {
    const feed = {
      id,
      topic: `g${id}`,
      add() {},
      cursorOf() {},
      remove: () => (removed += 1),
    };
    connection.subscribe(feed as unknown as GroupFeed);
  }
  return { connection, socket, removed: () => removed };
}

test('a closed connection leaves thousands of groups a portion in each turn of the event loop, and all in the end', async () => {
  const { connection, socket, removed } = inGroups(1_000);
  socket.isOpen = false;
  connection.close();
  const left = [removed()];
  while (removed() < 1_000) {
    await new Promise((resolve) => setImmediate(resolve));
    left.push(removed());
  }
  expect(left).toEqual([200, 400, 600, 800, 1_000]);
});

test('a socket that stays open leaves all groups at once: its next sign-in joins the same topics', () => {
  const { connection, removed } = inGroups(1_000);
  connection.close();
  expect(removed()).toBe(1_000);
});
