import { randomInt, randomUUID } from 'node:crypto';
import { type Person, signIn } from './person.ts';
import { StartError } from './start-error.ts';

const timeoutMs = 30_000;

/**
 * Two people who live only for this sign in on two gateways, and a message of one must reach the other. Their
 * numbers are random ones of country code 888, which no country has.
 * @throws StartError with what did not happen
 */
export async function proveLife(fromUrl: string, toUrl: string, code: string): Promise<void> {
  const people: Person[] = [];
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    for (const url of [fromUrl, toUrl]) people.push(await signIn(url, throwawaySid(), code, signal));
    const [sender, recipient] = people as [Person, Person];
    const { group_id } = await sender.request('GROUP_CREATE', {
      group_name: 'proof of life',
      member_sids: [sender.sid, recipient.sid],
    });
    await recipient.next(
      ({ type, payload }) => type === 'GROUP_DELIVER_REQUEST' && payload.group_id === group_id,
    );
    const content = randomUUID();
    await sender.request('MESSAGING_SEND', { group_id, content });
    await recipient.next(
      ({ type, payload }) => type === 'MESSAGING_DELIVER_REQUEST' && payload.content === content,
    );
  } catch (error) {
    const why = signal.aborted ? `nothing after ${timeoutMs / 1000} s` : (error as Error).message;
    throw new StartError(`no message came from ${fromUrl} to ${toUrl}: ${why}`);
  } finally {
    for (const person of people) person.close();
  }
}

function throwawaySid(): string {
  return `888.${randomInt(10 ** 10, 10 ** 11)}`;
}
