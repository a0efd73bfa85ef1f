import type { AcknowledgementHandlers } from './index.ts';

/** Names no version: it counts for the oldest state sent on this connection and not yet acknowledged. */
export const groupDelivered: AcknowledgementHandlers['GROUP_DELIVER_SUCCESS'] = (
  context,
  session,
  { payload: { group_id } },
) => {
  const attachment = session.attachments.get(group_id);
  const version = attachment?.takeAcknowledgedState();
  const member = session.person && attachment?.group.members.get(session.person.userId);
  if (version === undefined || !member) return context.metrics.acknowledgementIgnored();
  context.metrics.acknowledged();
  if (member.acknowledgeState(version)) context.cursors.changed(member);
};

/** Counted, marks nothing: the delivery stays due. */
export const groupRefused: AcknowledgementHandlers['GROUP_DELIVER_FAILURE'] = (context, _session, { id }) => {
  context.metrics.deliveryRefused(id);
};
