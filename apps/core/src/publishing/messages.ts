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
};

type Run = { version: number; seq: number; message_ids: number[]; frames: string[]; characters: number };

/** A publication of several messages is closed when it is so long; one long message may be longer. */
const publicationCharactersMax = 64 * 1_024;

/**
 * Tells the gateways of stored messages, and arms the audits of their groups. What follows each other in a group
 * under one version travels together: a publication costs Redis and every gateway as much as a message.
 */
export function publishMessages(
  { publisher, names, audits }: Context,
  messages: Iterable<StoredMessage>,
): void {
  const runs = new Map<number, Run>();
  const publish = (group_id: number, run: Run) =>
    publisher.publish(names.group(group_id), encodeMessages({ group_id, ...run }));
  for (const message of messages) {
    const { group_id, version, seq, message_id } = message;
    const frame = deliveryFrame(message);
    const run = runs.get(group_id);
    const isNext = run?.version === version && run.seq + run.frames.length === seq;
    if (run && isNext && run.characters + frame.length <= publicationCharactersMax) {
      run.message_ids.push(message_id);
      run.frames.push(frame);
      run.characters += frame.length;
    } else {
      if (run) publish(group_id, run);
      runs.set(group_id, {
        version,
        seq,
        message_ids: [message_id],
        frames: [frame],
        characters: frame.length,
      });
    }
  }
  for (const [group_id, run] of runs) {
    publish(group_id, run);
    audits.arm(group_id);
  }
}
