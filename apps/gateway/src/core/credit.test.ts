import { expect, test } from '@jest/globals';
import { Credit } from './credit.ts';

const page = 256 * 1_024;

test('never more bytes of answers are on their way than the credit has, and one that is larger comes alone', () => {
  const credit = new Credit(4 * page);
  let onTheirWay = 0;
  let most = 0;
  const asker = {};
  for (let asked = 0; asked < 100; asked += 1) {
    credit.take(asker, page, () => {
      onTheirWay += page;
      most = Math.max(most, onTheirWay);
    });
  }
  expect([onTheirWay, credit.bytes, credit.waiting]).toEqual([4 * page, 4 * page, 96]);
  for (let answered = 0; answered < 100; answered += 1) {
    onTheirWay -= page;
    credit.giveBack(page);
  }
  expect([most, credit.bytes, credit.waiting]).toEqual([4 * page, 0, 0]);
  let isBegun = false;
  credit.take(asker, 5 * page, () => {
    isBegun = true;
  });
  expect(isBegun).toBe(true);
});

test('who asks for one page has the next turn beside one who asks for thousands', () => {
  const credit = new Credit(page);
  const [heavy, light] = [{}, {}];
  const begun: object[] = [];
  for (let asked = 0; asked < 1_000; asked += 1) credit.take(heavy, page, () => begun.push(heavy));
  credit.take(light, page, () => begun.push(light));
  credit.giveBack(page);
  credit.giveBack(page);
  expect(begun.indexOf(light)).toBeGreaterThan(0);
  expect(begun.indexOf(light)).toBeLessThanOrEqual(2);
});
