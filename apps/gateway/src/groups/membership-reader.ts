import type { Core, Reply } from '../core/core-client.ts';

/** Who wants to know where their user stands. */
type Reader<U> = { readonly user: U; readonly isOpen: boolean };

type Memberships = Reply<'REPLAY_GROUPS'>;

/** What will be asked in one request, and who waits for it. */
type Question<U> = {
  readonly groupIds: Set<number>;
  isSignIn: boolean;
  readonly readers: { readonly reader: Reader<U>; answer(reply: Memberships | undefined): void }[];
};

type OfUser<U> = { underWay: number; readonly gathered: Question<U>[] };

/** Most groups in one request: no answer is large. */
const groupsPerRequest = 200;
/**
 * Most requests of one user at the core at a time. It handles one of them at once; with the second one, a core that does not
 * answer keeps no other connection of the user waiting.
 */
const requestsMax = 2;

/**
 * Reads from the core where users stand in their groups, for all connections of a user together. What they want to know while
 * a request is at the core is asked in the next one, once: twenty connections that are added to a hundred groups need
 * a few requests, not two thousand.
 *
 * Every request is sent after it was wanted, so who subscribed before finds all that was committed before.
 */
export class MembershipReader<U extends { readonly userId: number }> {
  readonly #core: Core;
  readonly #users = new Map<U, OfUser<U>>();

  constructor(core: Core) {
    this.#core = core;
  }

  /**
   * @param groupIds at most 200
   * @param isSignIn see `REPLAY_GROUPS`
   * @returns at least what was asked, perhaps more; undefined if nobody was asked because the connection is over
   */
  read(reader: Reader<U>, groupIds: readonly number[], isSignIn: boolean): Promise<Memberships | undefined> {
    const ofUser = this.#users.get(reader.user) ?? { underWay: 0, gathered: [] };
    this.#users.set(reader.user, ofUser);
    return new Promise((answer) => {
      const question = questionFor(ofUser.gathered, groupIds);
      for (const id of groupIds) question.groupIds.add(id);
      question.isSignIn ||= isSignIn;
      question.readers.push({ reader, answer });
      this.#askNext(reader.user, ofUser);
    });
  }

  #askNext(user: U, ofUser: OfUser<U>): void {
    while (ofUser.underWay < requestsMax) {
      const question = ofUser.gathered.shift();
      if (!question) break;
      if (question.readers.some(({ reader }) => reader.isOpen)) void this.#ask(user, ofUser, question);
      else for (const { answer } of question.readers) answer(undefined);
    }
    if (ofUser.underWay === 0) this.#users.delete(user);
  }

  async #ask(user: U, ofUser: OfUser<U>, { groupIds, isSignIn, readers }: Question<U>): Promise<void> {
    ofUser.underWay += 1;
    const params = {
      user_id: user.userId,
      group_ids: [...groupIds],
      ...(isSignIn && { is_sign_in: true }),
    };
    const reply = await this.#core.request('REPLAY_GROUPS', params, undefined, undefined, user);
    ofUser.underWay -= 1;
    for (const { answer } of readers) answer(reply);
    this.#askNext(user, ofUser);
  }
}

/** The last of the questions if it has room for these groups too, else a new one. */
function questionFor<U>(gathered: Question<U>[], groupIds: readonly number[]): Question<U> {
  const last = gathered.at(-1);
  const more = last ? groupIds.filter((id) => !last.groupIds.has(id)).length : 0;
  if (last && last.groupIds.size + more <= groupsPerRequest) return last;
  const question: Question<U> = { groupIds: new Set(), isSignIn: false, readers: [] };
  gathered.push(question);
  return question;
}
