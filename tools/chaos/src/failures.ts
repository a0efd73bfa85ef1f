import { errorTexts } from '@hooligram/protocol';
import { memberKey } from './checker/database-snapshot.ts';
import { finalAnswer, type History, type SendRecord } from './checker/history.ts';
import { append } from './checker/maps.ts';

/** What became of the requests since a moment that did not succeed, by whose doing it was. */
export type Failures = {
  /** Answered with a failure that nothing of the load explains: by the error's text. A request that was repeated and succeeded is none. */
  readonly failed: Readonly<Record<string, number>>;
  /** Messages that were refused because the load had made their sender leave the group, or was about to. */
  readonly ofLeavers: number;
  /** Messages of the mobile client, which repeats none, whose connection the server ended before their answer. */
  readonly unanswered: number;
};

/** A user is no member, or may be none, between these. */
type Absence = { readonly from: number; to: number };

export function failuresSince(history: History, moment: number): Failures {
  const absences = absencesOf(history);
  const failed: Record<string, number> = {};
  let ofLeavers = 0;
  for (const request of [...history.sends, ...history.changes]) {
    const answer = finalAnswer(request);
    if (!answer || answer.ok || answer.at < moment) continue;
    const text = answer.errors.join(', ');
    if (text === errorTexts.notAMember.text && 'content' in request && wasAway(request, answer.at, absences))
      ofLeavers += 1;
    else failed[text] = (failed[text] ?? 0) + 1;
  }
  const unanswered = history.sends.filter((send) => isUnanswered(send, history, moment)).length;
  return { failed, ofLeavers, unanswered };
}

/**
 * From the first sending of each GROUP_LEAVE until the first answer to an adding that was requested later: what is sent
 * after that answer comes from a member.
 */
function absencesOf({ changes }: History): Map<string, Absence[]> {
  const absences = new Map<string, Absence[]>();
  const additions = new Map<string, { readonly from: number; readonly to: number }[]>();
  for (const change of changes) {
    const from = change.attempts[0]?.at;
    const answer = finalAnswer(change);
    if (from === undefined || change.type === 'create') continue;
    if (change.type === 'add') {
      if (answer?.ok) append(additions, memberKey(change.groupId, change.member), { from, to: answer.at });
    } else if (!answer || answer.ok || change.attempts.some((attempt) => !attempt.answer))
      append(absences, memberKey(change.groupId, change.sid), { from, to: Number.POSITIVE_INFINITY });
  }
  for (const [key, list] of absences) {
    for (const absence of list) {
      const later = additions.get(key)?.filter(({ from }) => from >= absence.from) ?? [];
      absence.to = Math.min(...later.map(({ to }) => to));
    }
  }
  return absences;
}

/** Whether the sender was away, or may have been, at some time between the sending that was answered and its answer. */
function wasAway(
  { sid, groupId, attempts }: SendRecord,
  answeredAt: number,
  absences: ReadonlyMap<string, readonly Absence[]>,
): boolean {
  const sentAt = attempts.findLast(({ answer }) => answer)?.at ?? answeredAt;
  const ofSender = absences.get(memberKey(groupId, sid)) ?? [];
  return ofSender.some(({ from, to }) => from <= answeredAt && sentAt <= to);
}

function isUnanswered({ isOnce, attempts }: SendRecord, { connections }: History, moment: number): boolean {
  const [attempt] = attempts;
  if (!isOnce || !attempt || attempt.answer || attempt.at < moment) return false;
  return connections[attempt.connection]?.cutAt === undefined;
}
