import type { Answer, Ledger } from '../verdict/ledger.ts';
import type { Device } from './device.ts';

/** What devices do, each with its entry in the ledger. All resolve with the final answer. */

export function sendMessage(
  ledger: Ledger,
  { sid, outbox }: Device,
  groupId: number,
  content: string,
  options: { readonly givesUp?: boolean } = {},
): Promise<Answer> {
  return outbox.submit(
    'MESSAGING_SEND_REQUEST',
    { group_id: groupId, content },
    (id, attempts) => {
      const isOnce = outbox.sendsOnce('MESSAGING_SEND_REQUEST');
      ledger.sends.push({ sid, id, attempts, groupId, content, isOnce });
    },
    options,
  );
}

export function createGroup(
  ledger: Ledger,
  { sid, outbox }: Device,
  name: string,
  members: readonly string[],
): Promise<Answer> {
  return outbox.submit(
    'GROUP_CREATE_REQUEST',
    { group_name: name, member_sids: [...members] },
    (id, attempts) => ledger.changes.push({ kind: 'create', sid, id, attempts, name, members }),
  );
}

export function addMember(
  ledger: Ledger,
  { sid, outbox }: Device,
  groupId: number,
  member: string,
): Promise<Answer> {
  return outbox.submit(
    'GROUP_ADD_MEMBER_REQUEST',
    { group_id: groupId, member_sid: member },
    (id, attempts) => ledger.changes.push({ kind: 'add', sid, id, attempts, groupId, member }),
  );
}

export function leaveGroup(ledger: Ledger, { sid, outbox }: Device, groupId: number): Promise<Answer> {
  return outbox.submit('GROUP_LEAVE_REQUEST', { group_id: groupId }, (id, attempts) =>
    ledger.changes.push({ kind: 'leave', sid, id, attempts, groupId }),
  );
}
