import { randomInt, randomUUID } from 'node:crypto';
import { ProtocolClient } from '@hooligram/protocol-client';
import { StartError } from './start-error.ts';

const timeoutMs = 30_000;

/**
 * Two users sign in on two gateways, and a message of one must reach the other. Their numbers are random ones of country
 * code 888, which no country has.
 * @param code the verification code of every number
 * @throws StartError with what did not happen
 */
export async function smokeTest(fromUrl: string, toUrl: string, code: string): Promise<void> {
  const [senderSid, recipientSid] = [randomSid(), randomSid()];
  const sender = new ProtocolClient(fromUrl, { timeoutMs });
  const recipient = new ProtocolClient(toUrl, { timeoutMs });
  const isLate = AbortSignal.timeout(timeoutMs);
  // Every wait ends with its connection.
  isLate.addEventListener('abort', () => {
    for (const client of [sender, recipient]) client.terminate();
  });
  try {
    await Promise.all([sender.opened, recipient.opened]);
    await sender.signIn(senderSid, code);
    await recipient.signIn(recipientSid, code);
    const created = await sender.requestOk('GROUP_CREATE', {
      group_name: 'smoke test',
      member_sids: [senderSid, recipientSid],
    });
    const { group_id } = created.payload;
    await recipient.next(
      ({ type, payload }) => type === 'GROUP_DELIVER_REQUEST' && payload.group_id === group_id,
    );
    const content = randomUUID();
    await sender.requestOk('MESSAGING_SEND', { group_id, content });
    await recipient.next(
      ({ type, payload }) => type === 'MESSAGING_DELIVER_REQUEST' && payload.content === content,
    );
  } catch (error) {
    const why = isLate.aborted ? `nothing after ${timeoutMs / 1000} s` : (error as Error).message;
    throw new StartError(`no message came from ${fromUrl} to ${toUrl}: ${why}`);
  } finally {
    for (const client of [sender, recipient]) client.socket.close();
  }
}

function randomSid(): string {
  return `888.${randomInt(10 ** 10, 10 ** 11)}`;
}
