import { phoneOf } from '@hooligram/protocol';
import type { ProtocolClient, ProtocolClientOptions, ReceivedFrame } from '@hooligram/protocol-client';
import { FaultyTcpProxy } from '@hooligram/testkit/proxies';
import {
  type Attack,
  account,
  apart,
  counting,
  open,
  type Progress,
  returning,
  sidOf,
  type Target,
  times,
} from './attack.ts';
import { keepOpen, keepSending, stopReading } from './keep-sending.ts';
import { crowdPrefix, keepRowHeld, type LargeData, storeLargeData } from './large-data.ts';

// Nobody in here means harm: they are in large groups, or away for long. What that costs comes back at sign-in.

/** Grows sevenfold in JSON. */
const ugliest = String.fromCharCode(1);
const againAfterMs = 1_000;
const signUpsAtOnce = 10;
/** 16 Mbit/s, 25 ms. */
const slowLink = { bytesPerSecond: 2_000_000, delayMs: 25 };
const sidApart = (target: Target, n: number) => sidOf(target, apart(n) * 100);

async function signUp(target: Target, count: number): Promise<string[]> {
  const sids = times(count, (n) => sidApart(target, n));
  for (let from = 0; from < count; from += signUpsAtOnce) {
    const some = sids.slice(from, from + signUpsAtOnce);
    await Promise.all(
      some.map(async (sid, at) => {
        const client = await open(target, apart(from + at));
        await client.signIn(sid);
        client.terminate();
      }),
    );
  }
  return sids;
}

async function returnApart(
  target: Target,
  n: number,
  options?: Partial<ProtocolClientOptions>,
): Promise<ProtocolClient> {
  const client = await open(target, apart(n), options);
  await client.authorize(sidApart(target, n));
  return client;
}

/** Signs in, takes and acknowledges everything, leaves, and comes back, for ever. @param onWhole all of it was there */
async function returnAgain(
  target: Target,
  n: number,
  expected: { groups: number; messages: number },
  onWhole: () => void,
): Promise<never> {
  for (let isFirst = true; ; ) {
    const groups = new Set<unknown>();
    let messages = 0;
    const connection: { client?: ProtocolClient } = {};
    const isWhole = () => groups.size >= expected.groups && (!isFirst || messages >= expected.messages);
    const readFrame = (text: string) => {
      const frame = JSON.parse(text) as ReceivedFrame;
      if (!frame.type.endsWith('_DELIVER_REQUEST')) return frame;
      if (frame.type.startsWith('GROUP')) groups.add(frame.payload.group_id);
      else messages += 1;
      connection.client?.acknowledge(frame);
      if (isWhole()) connection.client?.socket.close();
      return undefined;
    };
    try {
      const client = await open(target, apart(n), { readFrame });
      connection.client = client;
      await client.authorize(sidApart(target, n));
      await client.closed;
    } catch {
      connection.client?.terminate();
    }
    if (isWhole()) {
      if (isFirst) onWhole();
      isFirst = false;
    }
    await new Promise((resolve) => setTimeout(resolve, againAfterMs));
  }
}

/** So many members of the same groups sign in at once, each on so many connections, and again and again. */
async function allReturn(
  target: Target,
  progress: Progress,
  count: number,
  data: Omit<LargeData, 'sids'>,
  connections = 1,
): Promise<void> {
  const sids = await signUp(target, count);
  await storeLargeData(target.databaseUrl, { ...data, sids });
  const { groups, messages = 0 } = data;
  const what = messages > 0 ? 'signed in and have all that waited' : 'signed in and were told all groups';
  Object.assign(progress, { what, wanted: count * connections });
  for (const n of times(count * connections, (each) => each % count)) {
    void returnAgain(target, n, { groups, messages: groups * messages }, () => {
      progress.reached += 1;
    });
  }
}

/** One account signs in again and again, and has 600 messages sent to it each time. */
async function signInAgain(target: Target, progress: Progress, urls: readonly string[]): Promise<void> {
  const [sid = ''] = await signUp(target, 1);
  const data = { groups: 1, crowd: 1, messages: 600, content: 'thirty bytes, more or less' };
  await storeLargeData(target.databaseUrl, { ...data, sids: [sid] });
  const signIn = { ...phoneOf(sid), verification_code: '000000' };
  progress.what = 'sign-ins succeeded';
  const readFrame = counting(progress, 'AUTHORIZATION_SIGN_IN');
  for (const n of times(20, Number)) {
    const url = urls[n % urls.length] ?? target.url;
    keepSending(
      () => open({ ...target, url }, apart(0), { acknowledge: false, readFrame }),
      (client) => client.send('AUTHORIZATION_SIGN_IN_REQUEST', signIn),
    );
  }
}

export const dataAttacks = {
  'members-of-a-large-group': {
    about: '100 members of a group of 20,000 sign in, take everything, and come back',
    start: (target, progress) => allReturn(target, progress, 100, { groups: 1, crowd: 20_000 }),
  },
  'members-of-hundred-groups': {
    about: '140 members of the same 100 groups of 4,400 sign in at once, and come back',
    start: (target, progress) => allReturn(target, progress, 140, { groups: 100, crowd: 4_400 }),
  },
  'put-into-large-groups': {
    about:
      'a user whom a stranger put into 383 groups of 5,900 signs in on eight connections, and comes back',
    start: (target, progress) => allReturn(target, progress, 1, { groups: 383, crowd: 5_900 }, 8),
  },
  'large-groups-on-a-slow-link': {
    about: 'four people in 150 groups of 4,400 sign in over 16 Mbit/s each, take everything, and come back',
    async start(target, progress) {
      const { url } = target;
      const link = (await FaultyTcpProxy.start(url, { link: slowLink })).urlOf(url);
      await allReturn({ ...target, url: link }, progress, 4, { groups: 150, crowd: 4_400 });
    },
  },
  'much-that-waits': {
    about: 'twelve people come back to 4 MB of control characters each (28 MB in JSON) in four groups',
    start: (target, progress) =>
      allReturn(target, progress, 12, {
        ...{ groups: 4, crowd: 1 },
        ...{ messages: 64, content: ugliest.repeat(16_000) },
      }),
  },
  'many-conversations': {
    about: 'a user comes back to one message in each of 20,000 conversations',
    start: (target, progress) =>
      allReturn(target, progress, 1, { groups: 20_000, crowd: 1, messages: 1, content: 'one' }),
  },
  'one-account-signs-in': {
    about: '20 connections of one account with 600 short messages sign in as fast as they can',
    start: (target, progress) => signInAgain(target, progress, [target.url]),
  },
  'one-account-signs-in-everywhere': {
    about: 'the same, on all gateways in turn',
    start: (target, progress) => signInAgain(target, progress, target.urls),
  },
  'nobody-reads': {
    about: '144 connections of twelve accounts, each with 4 MB waiting, sign in and read nothing',
    async start(target) {
      const sids = await signUp(target, 12);
      const data = { groups: 4, crowd: 1, messages: 64, content: 'x'.repeat(16_000) };
      await storeLargeData(target.databaseUrl, { ...data, sids });
      for (const n of times(144, (each) => each % 12)) {
        const signIn = { ...phoneOf(sidApart(target, n)), verification_code: '000000' };
        await keepOpen(
          () => open(target, apart(n)),
          (client) => {
            client.send('AUTHORIZATION_SIGN_IN_REQUEST', signIn);
            stopReading(client);
          },
        );
      }
    },
  },
  'a-row-is-held': {
    about: "somebody's session holds the row of a group for 20 s, again and again, while its members send",
    async start(target) {
      const [one, other] = [await account(target, 1), await account(target, 2)];
      const group = { group_name: 'held', member_sids: [one.sid, other.sid] };
      const { payload } = await one.client.requestOk('GROUP_CREATE', group);
      void keepRowHeld(target.databaseUrl, payload.group_id as number, 20);
      for (const n of [1, 2]) {
        keepSending(returning(target, n), (client) =>
          client.send('MESSAGING_SEND_REQUEST', { group_id: payload.group_id, content: 'held' }),
        );
      }
    },
  },
  'coming-and-going': {
    about: 'a member of a group of 50,000 leaves and is added again, as fast as it goes; 20 are told',
    async start(target) {
      const sids = await signUp(target, 20);
      const [group_id] = await storeLargeData(target.databaseUrl, { sids, groups: 1, crowd: 50_000 });
      const connect = (n: number) => returnApart(target, n, { readFrame: answersAlone });
      await Promise.all(times(18, (n) => connect(2 + n)));
      void comeAndGo(() => Promise.all([connect(0), connect(1)]), {
        group_id,
        member_sid: sidApart(target, 1),
      });
    },
  },
  'large-groups-are-made': {
    about: '20 accounts create groups of 1,000 people whom they know, as many as they may, and ask for more',
    async start(target, progress) {
      const sids = await signUp(target, 20);
      const crowd = times(999, (n) => `${crowdPrefix}${1_000_000_001 + n}`);
      await storeLargeData(target.databaseUrl, { sids, groups: 1, crowd: crowd.length, areAcquainted: true });
      // LIMIT_MEMBERS_ADDED_PER_USER: 5,000 a day are five such groups.
      Object.assign(progress, { what: 'groups were made', most: sids.length * 5 });
      const readFrame = counting(progress, 'GROUP_CREATE');
      for (const [n, sid] of sids.entries()) {
        keepSending(
          () => returnApart(target, n, { readFrame }),
          (client) =>
            client.send('GROUP_CREATE_REQUEST', { group_name: 'large', member_sids: [sid, ...crowd] }),
        );
      }
    },
  },
} as const satisfies Record<string, Attack>;

/** Deliveries are not kept: a state of a large group is megabytes. */
function answersAlone(text: string): ReceivedFrame | undefined {
  const frame = JSON.parse(text) as ReceivedFrame;
  return frame.type.endsWith('_DELIVER_REQUEST') ? undefined : frame;
}

/** @param connect one who stays, and one who goes; both come back when one of them was cut */
async function comeAndGo(
  connect: () => Promise<[ProtocolClient, ProtocolClient]>,
  { group_id, member_sid }: { group_id: number | undefined; member_sid: string },
): Promise<never> {
  for (;;) {
    const clients = await connect().catch(() => undefined);
    try {
      while (clients) {
        const [stays, goes] = clients;
        await goes.request('GROUP_LEAVE', { group_id });
        await stays.request('GROUP_ADD_MEMBER', { group_id, member_sid });
      }
    } catch {
      for (const client of clients ?? []) client.terminate();
    }
    await new Promise((resolve) => setTimeout(resolve, againAfterMs));
  }
}
