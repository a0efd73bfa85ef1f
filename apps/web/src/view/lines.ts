import type { Message } from '@hooligram/client';
import type { SendRequest } from '../chat/sending.ts';
import type { RefusedMessage } from '../history/history.ts';
import { dayOf } from './names.ts';

/** What a conversation shows, line by line. */
export type Line = DayLine | MessageLine;

type DayLine = {
  readonly kind: 'day';
  readonly key: string;
  readonly text: string;
};

export type MessageLine = {
  readonly kind: 'message';
  readonly key: string;
  readonly content: string;
  readonly time: string | number;
  readonly senderSid: string;
  readonly isOwn: boolean;
  /** Follows one of the same user closely. */
  readonly isMore: boolean;
  /** Of one's own; the server tells a sender no more. */
  readonly status: 'sending' | 'stored' | 'unkept' | 'refused';
  readonly refused?: RefusedMessage;
};

const closeMs = 5 * 60_000;

/**
 * Messages and the days on which they were sent.
 * @param unkept ids of messages that this browser has not kept
 * @param waiting those without an answer yet
 * @param refused those that the server did not take
 */
export function linesOf(
  sid: string,
  messages: readonly Message[],
  unkept: ReadonlyMap<number, unknown>,
  waiting: readonly SendRequest[],
  refused: readonly RefusedMessage[],
): readonly Line[] {
  const lines: Line[] = [];
  let before: MessageLine | undefined;
  const add = (line: Omit<MessageLine, 'kind' | 'isOwn' | 'isMore'>) => {
    const day = dayOf(line.time);
    const isNewDay = !before || dayOf(before.time) !== day;
    if (isNewDay) lines.push({ kind: 'day', key: `day ${day} ${line.key}`, text: day });
    const isClose = before && Math.abs(ms(line.time) - ms(before.time)) < closeMs;
    const isMore = !isNewDay && isClose === true && before?.senderSid === line.senderSid;
    before = { ...line, kind: 'message', isOwn: line.senderSid === sid, isMore };
    lines.push(before);
  };
  for (const { message_id, content, date_created, sender_sid } of messages) {
    add({
      key: String(message_id),
      content,
      time: date_created,
      senderSid: sender_sid,
      status: unkept.has(message_id) ? 'unkept' : 'stored',
    });
  }
  for (const message of refused) {
    const { id, content, createdAt } = message;
    add({
      key: `refused ${id}`,
      content,
      time: createdAt,
      senderSid: sid,
      status: 'refused',
      refused: message,
    });
  }
  for (const { id, payload, createdAt } of waiting) {
    const { content } = payload;
    add({ key: `waiting ${id}`, content, time: createdAt, senderSid: sid, status: 'sending' });
  }
  return lines;
}

function ms(time: string | number): number {
  return new Date(time).getTime();
}
