import type { ReplayPage } from '@hooligram/contract';
import type { Core, Reply } from '../core/core-client.ts';

type PageReply = Reply<'REPLAY_PAGE'>;
/** For whom a page is read, and whose turn it takes. */
export type Reader = {
  readonly user: { readonly userId: number };
  readonly messageBytes: number;
  readonly isOpen: boolean;
};
/** It is needed while one of those who wait for it is open. */
type Reading = { readonly readers: Reader[]; readonly reply: Promise<PageReply> };
type Kept = { readonly page: ReplayPage; readonly characters: number; readonly untilMs: number };

/** A smaller page is not kept, and sent to all who wait for it at once: it costs little. */
const largeCharacters = 32 * 1_024;
/** So much is kept of all groups together; the oldest page is forgotten first. */
const keptCharactersMax = 4 * 1_024 * 1_024;
const usualKeptMs = 2_000;

/**
 * Pages of replays, for all connections of this gateway together. Who needs a page of a group that is being read for somebody
 * else, or was a moment ago, is sent that one: of what many members come back to, or one user on many connections, each page
 * is read once, and not once for each of them.
 *
 * A page is of the past when it is used, and the messages in it never change. So it may lack the newest ones: a replay goes
 * on behind it until it has reached the group's feed. What has to be as new as possible, as behind a gap, is not read here.
 */
export class ReplayPages {
  readonly #core: Core;
  readonly #turn: () => Promise<void>;
  readonly #keptMs: number;
  readonly #underWay = new Map<string, Reading>();
  readonly #kept = new Map<string, Kept>();
  #characters = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param turn the turns in which connections go on that waited for the same large page: each sends a quarter of a mebibyte then */
  constructor(core: Core, turn: () => Promise<void>, keptMs = usualKeptMs) {
    this.#core = core;
    this.#turn = turn;
    this.#keptMs = keptMs;
  }

  /** How much is kept. */
  get characters(): number {
    return this.#characters;
  }

  /**
   * What somebody else was refused, or got no answer to, is asked once more, for all who wait together. Whoever waits keeps
   * the turn of who came first, also when that one has gone.
   *
   * @param limit most messages
   */
  async read(groupId: number, afterSeq: number, limit: number, reader: Reader): Promise<PageReply> {
    const key = `${groupId} ${afterSeq}`;
    for (let failures = 0; ; failures += 1) {
      const page = this.#kept.get(key)?.page;
      const reading = this.#underWay.get(key);
      if (!page && !reading) return this.#request(key, groupId, afterSeq, limit, reader);
      reading?.readers.push(reader);
      const reply = page ? { ok: true as const, answer: page } : await (reading as Reading).reply;
      if (reply.ok) {
        if (charactersOf(reply.answer) >= largeCharacters) await this.#turn();
        return { ok: true, answer: firstOf(reply.answer, limit) };
      }
      if (failures === 1 || !reader.isOpen) return reply;
    }
  }

  async #request(
    key: string,
    group_id: number,
    after_seq: number,
    limit: number,
    reader: Reader,
  ): Promise<PageReply> {
    const params = { group_id, after_seq, limit, user_id: reader.user.userId };
    const readers = [reader];
    const asker = {
      messageBytes: reader.messageBytes,
      turnsOf: reader,
      get isOpen() {
        return readers.some((one) => one.isOpen);
      },
    };
    const asked = this.#core.request('REPLAY_PAGE', params, undefined, undefined, asker);
    this.#underWay.set(key, { readers, reply: asked });
    // Before those who wait for the same: the first of them asks again if this failed.
    const reply = await asked;
    this.#underWay.delete(key);
    if (reply.ok) this.#keep(key, reply.answer);
    return reply;
  }

  #keep(key: string, page: ReplayPage): void {
    const characters = charactersOf(page);
    if (characters < largeCharacters || characters > keptCharactersMax) return;
    this.#forget(key);
    this.#kept.set(key, { page, characters, untilMs: performance.now() + this.#keptMs });
    this.#characters += characters;
    for (const oldest of this.#kept.keys()) {
      if (this.#characters <= keptCharactersMax) break;
      this.#forget(oldest);
    }
    this.#timer ??= setTimeout(this.#clean, this.#keptMs).unref();
  }

  #forget(key: string): void {
    this.#characters -= this.#kept.get(key)?.characters ?? 0;
    this.#kept.delete(key);
  }

  readonly #clean = (): void => {
    const nowMs = performance.now();
    for (const [key, { untilMs }] of this.#kept) {
      if (untilMs > nowMs) break;
      this.#forget(key);
    }
    this.#timer = this.#kept.size > 0 ? setTimeout(this.#clean, this.#keptMs).unref() : undefined;
  };
}

const charactersOf = ({ messages }: ReplayPage) =>
  messages.reduce((sum, [, , frame]) => sum + frame.length, 0);

/** A page that was read for somebody who asked for more. */
function firstOf(page: ReplayPage, limit: number): ReplayPage {
  if (page.messages.length <= limit) return page;
  const messages = page.messages.slice(0, limit);
  return { ...page, messages, through_seq: messages.at(-1)?.[0] ?? page.through_seq };
}
