import { encodeMessage } from '@hooligram/contract';
import { storeMessages } from '@hooligram/db';
import { deliveryFrame } from './delivery-frame.ts';
import { type Handler, refusal, success } from './handler.ts';

const refusals = { id_used: 'idAlreadyUsed', not_member: 'notAMember', closed: 'groupClosed' } as const;

/**
 * Stores messages, publishes each to its group, answers with their ids. Concurrency 1: the next statement of
 * this process would only wait for the same group rows, and meanwhile its batch grows.
 */
export const messagingSend: Handler<'MESSAGING_SEND'> = {
  batchMax: 500,
  concurrency: 1,
  async run({ db, outbox, names, audits }, batch) {
    const outcomes = await storeMessages(
      db,
      batch.map(({ request_id, params }) => ({
        sender_id: params.user_id,
        request_id,
        repeatable: params.repeatable,
        group_id: params.group_id,
        content: params.content,
      })),
    );
    return batch.map(({ params: { sid, group_id, content } }, index) => {
      const outcome = outcomes[index];
      if (!outcome?.ok) return refusal(outcome ? refusals[outcome.reason] : 'serverBusy');
      const { message_id, seq, version, date_created } = outcome;
      const frame = deliveryFrame({ group_id, message_id, content, date_created, sender_sid: sid });
      outbox.publish(names.group(group_id), encodeMessage({ group_id, version, seq, message_id, frame }));
      audits.arm(group_id);
      return success({ message_id });
    });
  },
};
