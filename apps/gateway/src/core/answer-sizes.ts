import type { ParamsOf, RequestType } from '@hooligram/contract';
import type { AnswerSize, Asker } from './credit.ts';

const kibibyte = 1_024;

/**
 * How many bytes an answer may have: of requests whose answers are large. They wait until so much may be on its way to
 * this gateway; their patience begins then. On the way to the cores they give way to what clients send, which has no
 * large answer.
 */
const mostBytes: Readonly<Partial<Record<RequestType, number>>> = {
  REPLAY_PAGE: 256 * kibibyte,
  GROUP_STATES: 256 * kibibyte,
  REPLAY_GROUPS: 32 * kibibyte,
  GROUP_IDS: 64 * kibibyte,
  GROUP_HEADS: 32 * kibibyte,
};

/** Of the answer's head, and of one membership. */
const headBytes = 256;
const membershipBytes = 160;
/** How slowly an estimate falls: of a type whose answers are small again, a tenth an answer. */
const keptOfEstimate = 0.9;

/** Whether answers of this type are large. */
export function isLargeAnswer(type: RequestType): boolean {
  return mostBytes[type] !== undefined;
}

/** How large answers are: at most, and probably, by what is asked and by what came of late. */
export class AnswerSizes {
  readonly #largest = new Map<RequestType, number>();

  /** @returns undefined for what has no large answer */
  of<K extends RequestType>(type: K, params: ParamsOf<K>, asker?: Asker): AnswerSize | undefined {
    const most = mostBytes[type];
    if (most === undefined) return undefined;
    return { most, probable: Math.min(most, headBytes + this.#probableOf(type, params, asker)) };
  }

  /** An answer of this type came, and had about so many bytes. */
  note(type: RequestType, bytes: number): void {
    if (!isLargeAnswer(type)) return;
    this.#largest.set(type, Math.max(bytes, (this.#largest.get(type) ?? 0) * keptOfEstimate));
  }

  #probableOf(type: RequestType, params: object, asker: Asker | undefined): number {
    const { limit, group_ids } = params as Partial<ParamsOf<'REPLAY_PAGE'> & ParamsOf<'REPLAY_GROUPS'>>;
    if (type === 'REPLAY_GROUPS' && group_ids) return group_ids.length * membershipBytes;
    // A connection knows how long the messages were that it was sent.
    if (limit !== undefined && asker?.messageBytes !== undefined) return limit * asker.messageBytes;
    return this.#largest.get(type) ?? Number.POSITIVE_INFINITY;
  }
}
