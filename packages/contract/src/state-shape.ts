import { count, flag, listOf, object, text, tuple } from './shape.ts';
import type { GroupState } from './state.ts';

export const groupState = object<GroupState>({
  group_id: count,
  version: count,
  version_seq: count,
  date_created: text,
  group_name: text,
  is_direct_message: flag,
  closed: flag,
  members: listOf(tuple(count, text, count)),
});
