import type { Book } from '../chat/book.ts';
import type { Conversation } from '../chat/conversation.ts';
import { showsNothing } from '../typed.ts';

/** What a conversation is called here: the group's name if it shows anything, else who else is in it. */
export function titleOf(book: Book, conversation: Conversation): string {
  const { group_name } = conversation.group.value;
  if (!showsNothing(group_name)) return group_name;
  const others = conversation.others.map((sid) => book.notebook.nameOf(sid));
  return others.join(', ') || 'Nobody else';
}

/** What its picture is made from: a direct message is its other member. */
export function faceOf(conversation: Conversation): string {
  const [other] = conversation.others;
  return conversation.group.value.is_direct_message && other ? other : `group ${conversation.id}`;
}

/** As short as a preview needs it: the first of a user's names. */
export function shortSenderOf(book: Book, sid: string): string {
  if (sid === book.sid) return 'You';
  return book.notebook.givenName(sid).split(' ')[0] || book.notebook.nameOf(sid);
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const date = new Intl.DateTimeFormat(undefined, { dateStyle: 'long' });
const shortDate = new Intl.DateTimeFormat(undefined, { dateStyle: 'short' });
const halfYearMs = 182 * 24 * 3_600_000;

export function timeOf(time: string | number): string {
  return clock.format(new Date(time));
}

export function dayOf(time: string | number, now = new Date()): string {
  const then = new Date(time);
  if (isSameDay(then, now)) return 'Today';
  const yesterday = new Date(now);
  yesterday.setDate(now.getDate() - 1);
  if (isSameDay(then, yesterday)) return 'Yesterday';
  return (now.getTime() - then.getTime() < halfYearMs ? weekday : date).format(then);
}

/** As short as a list needs it. */
export function whenOf(time: string): string {
  return isSameDay(new Date(time), new Date()) ? timeOf(time) : shortDate.format(new Date(time));
}

function isSameDay(one: Date, other: Date): boolean {
  return one.toDateString() === other.toDateString();
}
