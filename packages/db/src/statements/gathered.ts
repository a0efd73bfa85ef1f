import type { Db } from '../session/db.ts';

/** So many are asked for in one statement. */
const questionsMax = 256;

type Waiting<Q, A> = {
  readonly question: Q;
  resolve(answer: A): void;
  reject(error: unknown): void;
};

/**
 * Reads one thing at a time for many who ask at once. Of each database there is one statement in progress; what is asked
 * meanwhile goes together in the next. So a flood of questions costs a few statements and one connection, and what is
 * read is never older than its question. A statement that fails fails for all that it was for.
 *
 * @param read the answers to questions, in their order
 */
export function gathered<Q, A>(
  read: (db: Db, questions: readonly Q[]) => Promise<readonly A[]>,
): (db: Db, question: Q) => Promise<A> {
  const readers = new WeakMap<Db, (question: Q) => Promise<A>>();
  return (db, question) => {
    let reader = readers.get(db);
    if (!reader) {
      reader = gatherer((questions) => read(db, questions));
      readers.set(db, reader);
    }
    return reader(question);
  };
}

function gatherer<Q, A>(read: (questions: readonly Q[]) => Promise<readonly A[]>) {
  const waiting: Waiting<Q, A>[] = [];
  let isReading = false;
  async function readAll(): Promise<void> {
    while (waiting.length > 0) {
      const asked = waiting.splice(0, questionsMax);
      try {
        const answers = await read(asked.map(({ question }) => question));
        for (const [index, { resolve }] of asked.entries()) resolve(answers[index] as A);
      } catch (error) {
        for (const { reject } of asked) reject(error);
      }
    }
    isReading = false;
  }
  return (question: Q) =>
    new Promise<A>((resolve, reject) => {
      waiting.push({ question, resolve, reject });
      if (isReading) return;
      isReading = true;
      // Behind what asks in the same step.
      queueMicrotask(() => void readAll());
    });
}
