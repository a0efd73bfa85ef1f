import { expect, test } from '@jest/globals';
import { Credit } from './credit.ts';

const page = 256 * 1_024;
const atMost = (most: number, probable = 1) => ({ most, probable });
const asked = (size: ReturnType<typeof atMost>, begin: () => void, withdraw = () => {}) => ({
  size,
  begin,
  withdraw,
});

test('never more bytes of answers are on their way than the credit has, and one that is larger comes alone', () => {
  const credit = new Credit(4 * page);
  let onTheirWay = 0;
  let most = 0;
  const asker = {};
  for (let count = 0; count < 100; count += 1) {
    credit.take(
      asker,
      asked(atMost(page), () => {
        onTheirWay += page;
        most = Math.max(most, onTheirWay);
      }),
    );
  }
  expect([onTheirWay, credit.bytes, credit.waiting]).toEqual([4 * page, 4 * page, 96]);
  for (let answered = 0; answered < 100; answered += 1) {
    onTheirWay -= page;
    credit.giveBack(atMost(page));
  }
  expect([most, credit.bytes, credit.waiting]).toEqual([4 * page, 0, 0]);
  let isBegun = false;
  credit.take(
    asker,
    asked(atMost(5 * page), () => {
      isBegun = true;
    }),
  );
  expect(isBegun).toBe(true);
});

test('who asks for one page has the next turn beside one who asks for thousands', () => {
  const credit = new Credit(page);
  const [heavy, light] = [{}, {}];
  const begun: object[] = [];
  for (let count = 0; count < 1_000; count += 1) {
    credit.take(
      heavy,
      asked(atMost(page), () => begun.push(heavy)),
    );
  }
  credit.take(
    light,
    asked(atMost(page), () => begun.push(light)),
  );
  credit.giveBack(atMost(page));
  credit.giveBack(atMost(page));
  expect(begun.indexOf(light)).toBeGreaterThan(0);
  expect(begun.indexOf(light)).toBeLessThanOrEqual(2);
});

test('answers that probably are small are asked for side by side, large ones no more than an eighth of the credit', () => {
  const credit = new Credit(32 * page);
  let begun = 0;
  const ask = (count: number, probable: number) => {
    begun = 0;
    for (let taken = 0; taken < count; taken += 1) {
      credit.take(
        {},
        asked(atMost(page, probable), () => (begun += 1)),
      );
    }
  };
  ask(100, 4_096);
  expect(begun).toBe(32);
  for (let answered = 0; answered < 100; answered += 1) credit.giveBack(atMost(page, 4_096));
  expect([begun, credit.bytes]).toEqual([100, 0]);
  ask(100, page);
  expect(begun).toBe(4);
  for (let answered = 0; answered < 100; answered += 1) credit.giveBack(atMost(page, page));
  expect([begun, credit.bytes]).toEqual([100, 0]);
});

test('what others wait for comes before all pages of replays, however many connections ask for them', () => {
  const credit = new Credit(page);
  const begun: string[] = [];
  const take = (name: string, isReplay: boolean) =>
    credit.take(
      {},
      asked(atMost(page), () => void begun.push(name)),
      isReplay,
    );
  for (let count = 0; count < 100; count += 1) take(`replay ${count}`, true);
  take('sign-in', false);
  take('gap', false);
  for (let answered = 0; answered < 3; answered += 1) credit.giveBack(atMost(page));
  expect(begun).toEqual(['replay 0', 'sign-in', 'gap', 'replay 1']);
});

test('what is asked for a connection that has closed is withdrawn at its turn, and holds nothing', () => {
  const credit = new Credit(page);
  const said: string[] = [];
  const connection = { isOpen: true };
  const take = (asker: object, name: string) =>
    credit.take(
      asker,
      asked(
        atMost(page),
        () => void said.push(`${name} begun`),
        () => void said.push(`${name} withdrawn`),
      ),
      true,
    );
  take({ isOpen: true }, 'first');
  take(connection, 'second');
  take(connection, 'third');
  take({ isOpen: true }, 'fourth');
  connection.isOpen = false;
  credit.giveBack(atMost(page));
  expect(said.sort()).toEqual(['first begun', 'fourth begun', 'second withdrawn', 'third withdrawn']);
  expect([credit.bytes, credit.waiting]).toEqual([page, 0]);
});
