import type { GroupState } from './state.ts';

/**
 * What the core publishes on `group:<id>` and `user:<id>`, as bytes.
 *
 * A message is one line of header and the ready frame, which the gateway passes on untouched:
 * `m <group_id> <version> <seq> <message_id>\n<frame>`. A state is `s\n<GroupState as JSON>`. An unknown first letter is
 * for a newer gateway and is ignored, so that gateways and cores may differ by one release.
 *
 * Published at most once each, in no promised order across cores; what a gateway misses it fetches
 * (`REPLAY_PAGE`).
 */
export type Publication =
  | { kind: 'message'; group_id: number; version: number; seq: number; message_id: number; frame: Uint8Array }
  | { kind: 'state'; state: GroupState };

const newline = 0x0a;
const stateHeader = 's\n';

export function encodeMessage(message: {
  group_id: number;
  version: number;
  seq: number;
  message_id: number;
  frame: string;
}): string {
  const { group_id, version, seq, message_id, frame } = message;
  return `m ${group_id} ${version} ${seq} ${message_id}
${frame}`;
}

export function encodeState(state: GroupState): string {
  return stateHeader + JSON.stringify(state);
}

/**
 * @param bytes one publication; the returned message's `frame` is a view of it, not a copy
 * @returns undefined for what this release does not know
 * @throws SyntaxError for a state that is no JSON
 */
export function decodePublication(bytes: Buffer): Publication | undefined {
  const end = bytes.indexOf(newline);
  if (end < 1) return undefined;
  const [letter, groupId, version, seq, messageId] = bytes.toString('latin1', 0, end).split(' ');
  if (letter === 'm') {
    return {
      kind: 'message',
      group_id: Number(groupId),
      version: Number(version),
      seq: Number(seq),
      message_id: Number(messageId),
      frame: bytes.subarray(end + 1),
    };
  }
  if (letter === 's')
    return { kind: 'state', state: JSON.parse(bytes.toString('utf8', end + 1)) as GroupState };
  return undefined;
}
