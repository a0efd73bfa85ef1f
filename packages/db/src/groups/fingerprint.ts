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

/**
 * The id under which a request of nobody is kept. Who asks has no name yet, so the connection stands in for it: an
 * equal `request_id` from another connection is another request.
 */
export function anonymousRequestId(
  kind: 'record_challenge' | 'submit_challenge',
  { request_id, connection_id }: { readonly request_id: string; readonly connection_id: string },
): string {
  const hex = createHash('sha256')
    .update(JSON.stringify([kind, connection_id, request_id.toLowerCase()]))
    .digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}
