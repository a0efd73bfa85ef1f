import type { CoreRequest, Outcome, ReplayPage, StoredMessage } from '@hooligram/contract';
import { type Page, replayPages } from '@hooligram/db';
import { createLoopTurns } from '@hooligram/service';
import { deliveryFrame } from '../publishing/delivery-frame.ts';
import { bytesInJson } from './bytes-in-json.ts';
import { type Handler, refusal, success } from './handler.ts';
import { PageRests } from './page-rests.ts';

/**
 * Most bytes of a page's messages, as they leave: a frame is JSON in the answer's JSON, and a control character of a
 * message grows sevenfold by that. With its head a page fits into one publication.
 */
const pageBytesMax = 255 * 1_024;
/** Of a message's seq and id, with what stands between them. */
const placeBytes = 32;

/** So many bytes are encoded at a time, about: a millisecond or two in which nobody else is served. */
const sliceBytes = 128 * 1_024;

type Options = {
  /** The turns of this process. */
  readonly turn?: () => Promise<void>;
  /** Those between large pages: behind them no replay is read either. */
  readonly rests?: PageRests;
  /** Whether these are pages behind gaps, which no user asks for. */
  readonly areOfGaps?: boolean;
};

/**
 * The messages after a seq of a group, oldest first. The pages of a batch are encoded in slices, each in a round of the event
 * loop of its own: messages do not wait for all pages of those who come back, and pages do not come faster than they leave.
 * Behind a gap, new messages wait for the page: it rests for the large pages of its own batch alone.
 */
export function createReplayPageHandler({
  turn = createLoopTurns(),
  rests = new PageRests(),
  areOfGaps = false,
}: Options = {}): Handler<'REPLAY_PAGE'> {
  return {
    batchMax: 8,
    concurrency: areOfGaps ? 1 : 2,
    async handle({ db, replica, config }, batch) {
      const questions = batch.map(({ params }) => params);
      const { REPLAY_PAGE_MESSAGES: limit } = config;
      if (!areOfGaps) await rests.over();
      const pages = await (replica ? replica.pages(db, questions, limit) : replayPages(db, questions, limit));
      const outcomes: Outcome<'REPLAY_PAGE'>[] = [];
      for (let mustRest = !areOfGaps; outcomes.length < pages.length; ) {
        if (mustRest) await rests.over();
        await turn();
        const isLarge = rests.work(() => encodeSlice(pages, questions, outcomes));
        mustRest = isLarge || !areOfGaps;
      }
      return outcomes;
    },
  };
}

const turn = createLoopTurns();

export const replayPageHandler = createReplayPageHandler({ turn });

/** Whether this asks for the page behind a gap. */
export function isGapPage({ type, params }: CoreRequest): boolean {
  return type === 'REPLAY_PAGE' && params.user_id === undefined;
}

/** Of requests of the same type, in batches of their own: none of them waits for a replay. */
export const gapPageHandler = createReplayPageHandler({ turn, areOfGaps: true });

/** Encodes the next pages, at least one, and adds their outcomes. @returns whether they are as large as a slice */
function encodeSlice(
  pages: readonly (Page | null)[],
  questions: readonly { readonly after_seq: number }[],
  outcomes: Outcome<'REPLAY_PAGE'>[],
): { readonly isLarge: boolean } {
  let bytes = 0;
  for (let at = outcomes.length; at < pages.length && bytes < sliceBytes; at += 1) {
    const page = pages[at];
    const encoded = page && encodePage(page, questions[at]?.after_seq ?? 0);
    bytes += encoded?.bytes ?? 0;
    outcomes.push(encoded ? success(encoded.answer) : refusal('notAMember'));
  }
  return { isLarge: bytes >= sliceBytes };
}

/** Encodes the first messages, at least one, as many as a page may hold; and no more than one that it does not hold. */
function encodePage(
  { group_id, version, last_seq, messages }: Page,
  after_seq: number,
): { readonly answer: ReplayPage; readonly bytes: number } {
  const held: StoredMessage[] = [];
  let bytes = 0;
  for (const message of messages) {
    const frame = deliveryFrame({ group_id, ...message });
    bytes += bytesInJson(frame) + placeBytes;
    if (held.length > 0 && bytes > pageBytesMax) break;
    held.push([message.seq, message.message_id, frame]);
  }
  const through_seq = held.at(-1)?.[0] ?? Math.max(after_seq, last_seq);
  return { answer: { group_id, version, last_seq, through_seq, messages: held }, bytes };
}
