import type { GroupState } from '@hooligram/contract';
import { encodeFrame, groupDeliveryId } from '@hooligram/protocol';

/** The `GROUP_DELIVER_REQUEST` that tells a state to clients. */
export function encodeStateFrame(state: GroupState): string {
  const { group_id, version, date_created, group_name, is_direct_message, members } = state;
  return encodeFrame('GROUP_DELIVER_REQUEST', groupDeliveryId(group_id, version), {
    date_created,
    group_id,
    group_name,
    is_direct_message,
    member_sids: members.map(([, sid]) => sid),
  });
}
