import { expect, test } from '@jest/globals';
import type { Db } from '../session/db.ts';
import { gathered } from './gathered.ts';

/** Statements that a test answers, and the questions of each. */
function fixture() {
  const statements: { questions: readonly number[]; answer(): void; fail(): void }[] = [];
  const ask = gathered(
    (_db, questions: readonly number[]) =>
      new Promise<string[]>((resolve, reject) => {
        statements.push({
          questions,
          answer: () => resolve(questions.map(String)),
          fail: () => reject(new Error('down')),
        });
      }),
  );
  const [one, other] = [{} as Db, {} as Db];
  return { statements, ask, one, other };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('what is asked at once shares a statement, what is asked meanwhile the next, and there is one at a time', async () => {
  const { statements, ask, one } = fixture();
  const answers = Promise.all([1, 2].map((n) => ask(one, n)));
  await turn();
  const later = Promise.all([3, 4, 5].map((n) => ask(one, n)));
  await turn();
  expect(statements.map(({ questions }) => questions)).toEqual([[1, 2]]);
  statements[0]?.answer();
  expect(await answers).toEqual(['1', '2']);
  await turn();
  expect(statements.map(({ questions }) => questions)).toEqual([
    [1, 2],
    [3, 4, 5],
  ]);
  statements[1]?.answer();
  expect(await later).toEqual(['3', '4', '5']);
});

test('of very many some hundred are asked for at a time', async () => {
  const { statements, ask, one } = fixture();
  const answers = Promise.all(Array.from({ length: 600 }, (_, n) => ask(one, n)));
  for (let statement = 0; statement < 3; statement += 1) {
    await turn();
    statements[statement]?.answer();
  }
  expect((await answers).at(-1)).toBe('599');
  expect(statements.map(({ questions }) => questions.length)).toEqual([256, 256, 88]);
});

test('a statement that fails fails for all that it was for, and for nobody else', async () => {
  const { statements, ask, one, other } = fixture();
  const failing = Promise.allSettled([1, 2].map((n) => ask(one, n)));
  const elsewhere = ask(other, 3);
  await turn();
  statements[0]?.fail();
  statements[1]?.answer();
  expect((await failing).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await elsewhere).toBe('3');
  const again = ask(one, 4);
  await turn();
  statements[2]?.answer();
  expect(await again).toBe('4');
});
