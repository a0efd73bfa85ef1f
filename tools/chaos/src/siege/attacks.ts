import { phoneOf } from '@hooligram/protocol';
import type { ProtocolClient } from '@hooligram/protocol-client';
import { type Attack, account, counter, open, returning, sidOf, type Target, times } from './attack.ts';
import { dataAttacks } from './data-attacks.ts';
import { guessAttacks } from './guess-attacks.ts';
import { keepOpen, keepSending, stopReading } from './keep-sending.ts';
import { textAttacks } from './text-attacks.ts';

const largest = 'x'.repeat(65_000);

async function groupOf(target: Target): Promise<{ group_id: number; client: ProtocolClient }> {
  const [one, other] = [await account(target, 1), await account(target, 2)];
  const group = { group_name: 'siege', member_sids: [one.sid, other.sid, target.victim] };
  const { payload } = await one.client.requestOk('GROUP_CREATE', group);
  return { group_id: payload.group_id as number, client: one.client };
}

const next = counter();

export const attacks = {
  'large-keep-alives': {
    about: '20 connections of one address, keep-alives of 64 KiB as fast as they go',
    async start(target) {
      for (const _ of times(20, Number)) {
        keepSending(
          () => open(target),
          (client) => client.send('CONN_KEEP_ALIVE_REQUEST', { largest }),
        );
      }
    },
  },
  'small-keep-alives': {
    about: '20 connections of one address, small keep-alives as fast as they go',
    async start(target) {
      for (const _ of times(20, Number)) {
        keepSending(
          () => open(target),
          (client) => client.send('CONN_KEEP_ALIVE_REQUEST', {}),
        );
      }
    },
  },
  'groups-of-strangers': {
    about: 'one account creates groups of 100 numbers that nobody has',
    async start(target) {
      const { sid } = await account(target, 1);
      keepSending(returning(target, 1), (client) => {
        const member_sids = [sid, ...times(100, () => sidOf(target, 1_000 + next()))];
        client.send('GROUP_CREATE_REQUEST', { group_name: 'strangers', member_sids });
      });
    },
  },
  'group-bomb': {
    about:
      'five accounts put a user into groups, and another one that is in all of them signs in again and again',
    async start(target) {
      const accounts = await Promise.all(times(5, (n) => account(target, n)));
      const bombed = await account(target, 9);
      for (const [n, { sid }] of accounts.entries()) {
        keepSending(returning(target, n), (client) => {
          const member_sids = [sid, target.victim, bombed.sid];
          client.send('GROUP_CREATE_REQUEST', { group_name: 'bomb', member_sids });
        });
      }
      const signIn = { ...phoneOf(bombed.sid), verification_code: '000000' };
      for (const _ of times(5, Number)) {
        keepSending(
          () => open(target, 9),
          (client) => client.send('AUTHORIZATION_SIGN_IN_REQUEST', signIn),
        );
      }
    },
  },
  'codes-nobody-asked-for': {
    about: '500 connections of 50 addresses submit codes that were never requested',
    async start(target) {
      for (const n of times(500, Number)) {
        keepSending(
          () => open(target, n % 50),
          (client) => client.send('VERIFICATION_SUBMIT_CODE_REQUEST', { verification_code: '111111' }),
        );
      }
    },
  },
  'slow-readers': {
    about: '10 connections of one account read nothing, while another one sends it 10 KB a message',
    async start(target) {
      const { group_id } = await groupOf(target);
      await Promise.all(times(10, () => keepOpen(returning(target, 2), stopReading)));
      const content = 'x'.repeat(10_000);
      keepSending(returning(target, 1), (client) =>
        client.send('MESSAGING_SEND_REQUEST', { group_id, content }),
      );
    },
  },
  'half-messages': {
    about: '100 connections of five addresses begin messages of 900 KB and never end them',
    async start(target) {
      const part = Buffer.alloc(60_000, 'x');
      const begin = ({ socket }: ProtocolClient) => {
        for (const _ of times(15, Number)) socket.send(part, { fin: false });
      };
      await Promise.all(times(100, (n) => keepOpen(() => open(target, n % 5), begin)));
    },
  },
  'unknown-acknowledgements': {
    about: 'five connections of one account acknowledge messages that do not exist',
    async start(target) {
      await account(target, 1);
      for (const _ of times(5, Number)) {
        keepSending(returning(target, 1), (client) =>
          client.send('MESSAGING_DELIVER_SUCCESS', { message_id: 2 ** 40 + next() }),
        );
      }
    },
  },
  'large-messages': {
    about: 'ten connections of one account send messages of 60 KB to a group with an honest user',
    async start(target) {
      const { group_id } = await groupOf(target);
      const content = 'x'.repeat(60_000);
      for (const _ of times(10, Number)) {
        keepSending(returning(target, 1), (client) =>
          client.send('MESSAGING_SEND_REQUEST', { group_id, content }),
        );
      }
    },
  },
  'large-deliveries-sent-back': {
    about: '20 connections of one account send back deliveries of 64 KiB to 1 MiB that nobody sent to them',
    async start(target) {
      await account(target, 1);
      // Short keys are what costs most to parse.
      const deliveries = [65_537, 262_144, 1_048_000].map((bytes) => {
        const pairs = times(Math.floor(bytes / 10), (n) => `"${n.toString(36).padStart(5, '0')}":1`);
        return `{"id":"1","type":"MESSAGING_DELIVER_REQUEST","payload":{${pairs.join()}}}`;
      });
      for (const _ of times(20, Number)) {
        keepSending(returning(target, 1), (client) => client.sendRaw(deliveries[next() % 3] ?? ''));
      }
    },
  },
  ...guessAttacks,
  ...dataAttacks,
  ...textAttacks,
  // The last one: it uses up the codes of an hour, and nobody else can be made known.
  'codes-for-consecutive-numbers': {
    about: '200 addresses request codes for one number after the other',
    async start(target) {
      for (const n of times(200, Number)) {
        keepSending(
          () => open(target, n),
          (client) => client.send('VERIFICATION_REQUEST_CODE_REQUEST', phoneOf(sidOf(target, next()))),
        );
      }
    },
  },
} as const satisfies Record<string, Attack>;

export type AttackName = keyof typeof attacks;
export const attackNames = Object.keys(attacks) as AttackName[];
