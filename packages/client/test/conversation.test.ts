import { memoryStorage } from '../src/index.ts';
import { describe, expect, test } from '@jest/globals';
import { heard, listen, next, setCompany, signUp } from './company.ts';

const company = setCompany({
  gateways: 2,
  cores: 1,
  env: { DELIVERY_ACK_DEADLINE_MS: '300' },
  gatewayEnv: { CURSOR_FLUSH_MS: '50' },
  coreEnv: { DELIVERY_RETRY_MS: '300', DELIVERY_RETRY_JITTER: '0' },
});

const urlOf = (gateway: number) => company.system.gateway(gateway).url;

describe('two people', () => {
  test('sign up, make a group and hear each other, in order, once', async () => {
    const [ada, bob] = [await company.member(urlOf(0)), await company.member(urlOf(1))];
    const told = next(bob, 'group');
    const groupId = await ada.client.createGroup('a group', [bob.sid]);
    expect(await told).toMatchObject({ group_id: groupId, group_name: 'a group', is_direct_message: true });
    expect(bob.client.groups.get(groupId)?.member_sids).toEqual([ada.sid, bob.sid].sort());
    const said = Array.from({ length: 20 }, (_, index) => `message ${index}`);
    const ids = await Promise.all(said.map((content) => ada.client.send(groupId, content)));
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    for (const member of [ada, bob]) {
      await heard(member, said);
      expect(member.messages.map(({ content }) => content)).toEqual(said);
      expect(member.messages.map(({ message_id }) => message_id)).toEqual(ids);
      expect(member.errors).toEqual([]);
    }
    expect(ada.client.outbox).toEqual([]);
  });
});

void [memoryStorage, listen, signUp];
