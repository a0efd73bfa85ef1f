import { expect, test } from '@jest/globals';
import { SignIns } from './sign-ins.ts';

/** The names of those who were let in, in order. */
function line(signIns: SignIns) {
  const inside: string[] = [];
  const places = new Map<string, () => void>();
  const enter = (who: string, key = who) => {
    const owner = {};
    void signIns.enter(owner, key).then((leave) => {
      if (!leave) return;
      inside.push(who);
      places.set(who, leave);
    });
    return owner;
  };
  const leave = async (who: string) => {
    places.get(who)?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { inside, enter, leave };
}

test('one who asks for an account on very many connections has few places, and others get theirs at once', async () => {
  const signIns = new SignIns(8);
  const { inside, enter, leave } = line(signIns);
  for (let count = 1; count <= 50; count += 1) enter(`many ${count}`, 'many');
  enter('ada');
  await leave('nobody');
  expect(inside).toEqual(['many 1', 'many 2', 'many 3', 'many 4', 'ada']);
  await leave('many 1');
  expect(inside.at(-1)).toBe('many 5');
  expect([signIns.underWay, signIns.waiting]).toEqual([5, 45]);
});

test('those who wait take turns, whatever others have waiting before them', async () => {
  const signIns = new SignIns(2);
  const { inside, enter, leave } = line(signIns);
  enter('first');
  enter('second');
  for (let count = 1; count <= 3; count += 1) enter(`many ${count}`, 'many');
  await leave('nobody');
  const gone = enter('gone');
  enter('ada');
  signIns.leaveLine(gone);
  for (const who of ['first', 'second', 'many 1', 'ada', 'many 2', 'many 3']) await leave(who);
  expect(inside).toEqual(['first', 'second', 'many 1', 'ada', 'many 2', 'many 3']);
  expect([signIns.underWay, signIns.waiting]).toEqual([0, 0]);
});
