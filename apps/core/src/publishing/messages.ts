import { encodeMessages } from '@hooligram/contract';
import type { Context } from '../context.ts';
import { deliveryFrame } from './delivery-frame.ts';

export type StoredMessage = {
  readonly group_id: number;
  readonly version: number;
  readonly seq: number;
  readonly message_id: number;
  readonly content: string;
  /** ISO 8601, UTC, milliseconds */
  readonly date_created: string;
  readonly sender_sid: string;
  /** The context of the span that stored it, if it is traced. */
  readonly trace: string | undefined;
};

/** Messages of one group that follow each other under one version. */
type Sequence = {
  group_id: number;
  version: number;
  seq: number;
  message_ids: number[];
  frames: string[];
  characters: number;
};

/** A publication of several messages is closed when it is so long; one long message may be longer. */
const publicationCharactersMax = 64 * 1_024;

/**
 * Publishes stored messages, and schedules the delivery checks of their groups. Messages that follow each other in a
 * group under one version share a publication: to Redis and every gateway a publication costs as much as a message.
 */
export function publishMessages(
  { publisher, names, deliveryChecks, traces }: Context,
  messages: readonly StoredMessage[],
): void {
  traces?.announce(messages);
  const sequences = new Map<number, Sequence>();
  const publish = (sequence: Sequence) =>
    publisher.publish(names.group(sequence.group_id), encodeMessages(sequence), sequence.group_id);
  for (const message of messages) {
    const { group_id, version, seq, message_id } = message;
    const frame = deliveryFrame(message);
    const sequence = sequences.get(group_id);
    const isNext = sequence?.version === version && sequence.seq + sequence.frames.length === seq;
    if (sequence && isNext && sequence.characters + frame.length <= publicationCharactersMax) {
      sequence.message_ids.push(message_id);
      sequence.frames.push(frame);
      sequence.characters += frame.length;
    } else {
      if (sequence) publish(sequence);
      sequences.set(group_id, {
        group_id,
        version,
        seq,
        message_ids: [message_id],
        frames: [frame],
        characters: frame.length,
      });
    }
  }
  // First, so that they leave in one write with the messages.
  for (const group_id of sequences.keys()) deliveryChecks.schedule(group_id);
  for (const sequence of sequences.values()) publish(sequence);
}
