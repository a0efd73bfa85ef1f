import type { ReplayPage } from '@hooligram/contract';
import { closeReasons } from '@hooligram/protocol';
import type { GatewayContext } from '../context.ts';
import type { Attachment } from './subscription.ts';

/**
 * Lets a connection go on from `sentSeq`: join the topic if the group is just there, wait if the group is not
 * there yet, else replay what is between.
 */
export function continueReplay(context: GatewayContext, attachment: Attachment): void {
  const { group } = attachment;
  if (group.position === undefined || attachment.sentSeq > group.position) return;
  if (attachment.sentSeq === group.position) {
    group.enter(attachment, 'live');
    return;
  }
  group.enter(attachment, 'replaying');
  attachment.replays += 1;
  void replay(context, attachment, attachment.replays);
}

/** Page after page, each as large as the connection's window has room for. */
async function replay(context: GatewayContext, attachment: Attachment, run: number): Promise<void> {
  const { session } = attachment;
  const isCurrent = () => attachment.phase === 'replaying' && attachment.replays === run;
  attachment.replayFrom = attachment.sentSeq;
  attachment.replayThrough = attachment.sentSeq;
  while (isCurrent()) {
    const room = await session.window.reserve();
    const reply = isCurrent() && (await askPage(context, attachment, room));
    if (reply && isCurrent()) {
      if (!reply.ok) session.socket.end(closeReasons.outcomeUnknown);
      else if (sendPage(context, attachment, reply.answer, isCurrent)) catchUp(attachment, isCurrent);
    }
    session.window.release(room);
    // The next page waits until the client has read this one: nothing piles up for a slow one.
    if (isCurrent()) await session.socket.drained();
  }
}

function askPage({ core }: GatewayContext, { group, sentSeq }: Attachment, limit: number) {
  return core.ask('REPLAY_PAGE', {
    group_id: group.id,
    after_seq: sentSeq,
    known_version: group.version,
    limit,
  });
}

/** @returns whether the replay goes on */
function sendPage(
  context: GatewayContext,
  attachment: Attachment,
  { state, messages, through_seq }: ReplayPage,
  isCurrent: () => boolean,
): boolean {
  const { group, session } = attachment;
  // A state first: it may take the person out, or start over from where they were added again.
  if (state) group.apply(state);
  if (!isCurrent()) return false;
  const position = group.position ?? 0;
  const due = messages.filter(([seq]) => seq > attachment.sentSeq && seq <= position);
  for (const [seq, messageId] of due) context.receipts.note(messageId, group, seq);
  attachment.sentSeq = Math.max(attachment.sentSeq, Math.min(through_seq, position));
  attachment.replayThrough = attachment.sentSeq;
  context.metrics.messagesReplayed(due.length);
  session.socket.send(...due.map(([, , frame]) => frame));
  if (session.person) context.lag.watch(session.person.userId);
  return isCurrent();
}

/** Joins the topic in this very turn, if all that was passed on since is at hand. */
function catchUp(attachment: Attachment, isCurrent: () => boolean): void {
  const { group, session } = attachment;
  const tail = group.tailAfter(attachment.sentSeq);
  if (!tail) return;
  session.socket.send(...tail.map(({ frame }) => frame));
  if (isCurrent()) group.enter(attachment, 'live');
}
