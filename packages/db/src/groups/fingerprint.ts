import { createHash } from 'node:crypto';

/** What was asked, in few bytes: two requests under one id are the same one if these are equal. */
export function fingerprint(kind: string, ...payload: readonly unknown[]): string {
  return `${kind} ${createHash('sha256').update(JSON.stringify(payload)).digest('base64url')}`;
}

/** Of the requests that change groups, made alike by who runs them and who looks them up. */
export const groupFingerprints = {
  create: (groupName: string, memberSids: readonly string[]) =>
    fingerprint('create', groupName, [...new Set(memberSids)].sort()),
  add: (groupId: number, memberSid: string) => fingerprint('add', groupId, memberSid),
  leave: (groupId: number) => fingerprint('leave', groupId),
};
