import { setTimeout as pause } from 'node:timers/promises';
import { phoneOf, readTryAgain } from '@hooligram/protocol';
import type { ProtocolClient, ReceivedFrame } from '@hooligram/protocol-client';
import {
  type Attack,
  account,
  answerToSignIn,
  apart,
  counter,
  open,
  type Progress,
  returning,
  sidOf,
  type Target,
  times,
} from './attack.ts';
import { rightCode } from './honest-users.ts';
import { keepSending } from './keep-sending.ts';

// They have texts sent to others, or find out who is here.

const networks = 200;
/** So many requests of theirs were refused before the owner comes: what strangers may have of a number is used up. */
const refusedFirst = 50;
const againAfterMs = 2_000;
/** So many of the numbers for which somebody asks have an account. */
const takenNumbers = 10;

const next = counter();

/** The owner has a code sent to a network that is known, as a new telephone does, as often as it takes, and submits it. */
async function ownerComes(target: Target, progress: Progress): Promise<void> {
  const { sid, localAddress } = target.codeOwner;
  for (;;) {
    const client = await open(target, 0, { localAddress }).catch(() => undefined);
    const isDone = await client?.register(sid, rightCode).then(
      () => true,
      // Also for the minute after the code before.
      () => false,
    );
    client?.terminate();
    if (isDone) break;
    await pause(againAfterMs);
  }
  progress.reached += 1;
}

/** Networks request codes, of one number or one after the other; then the owner comes. */
function requestCodes(target: Target, progress: Progress, number: () => string): void {
  Object.assign(progress, { what: 'owners got a code, and submitted it', wanted: 1 });
  let refused = 0;
  const readFrame = (text: string): undefined => {
    if (!text.includes('"VERIFICATION_REQUEST_CODE_FAILURE"')) return;
    refused += 1;
    if (refused === refusedFirst) void ownerComes(target, progress);
  };
  for (const n of times(networks, Number)) {
    keepSending(
      () => open(target, apart(n), { readFrame }),
      (client) => client.send('VERIFICATION_REQUEST_CODE_REQUEST', phoneOf(number())),
    );
  }
}

export const textAttacks = {
  'texts-at-one-number': {
    about: `${networks} networks request codes for the number of an honest user, who needs one`,
    async start(target, progress) {
      requestCodes(target, progress, () => target.codeOwner.sid);
    },
  },
  'slow-provider': {
    about: `the provider of texts takes 300 ms; ${networks} networks request codes, and an honest user needs one`,
    hasSlowProvider: true,
    async start(target, progress) {
      // A prefix for each: what stops it is what may be sent in all.
      requestCodes(target, progress, () => sidOf(target, (next() % 1_000) * 10_000));
    },
  },
  'asking-for-numbers': {
    about:
      'five connections of one account ask who is here, with GROUP_ADD_MEMBER for numbers that somebody has and that nobody has, in turn',
    async start(target, progress) {
      const [one, other] = [await account(target, 1), await account(target, 2)];
      const taken = await Promise.all(
        times(takenNumbers, async (n) => {
          const { sid, client } = await account(target, 3 + n);
          client.terminate();
          return sid;
        }),
      );
      // No direct message: a number that somebody has is added.
      const group = { group_name: 'asking', member_sids: [one.sid, other.sid, ...taken.slice(0, 1)] };
      const { payload } = await one.client.requestOk('GROUP_CREATE', group);
      const group_id = payload.group_id as number;
      const { send, readFrame } = asking(progress, {
        ...{ group_id, taken },
        free: () => sidOf(target, 1_000 + next()),
      });
      for (const _ of times(5, Number)) keepSending(returning(target, 1, { readFrame }), send);
    },
  },
} as const satisfies Record<string, Attack>;

/**
 * Asks for numbers that somebody has and that nobody has, in turn. What is answered to the ones as often as to the others tells
 * nothing; each answer that the ones get more often than the others has told about a number: SUCCESS, that nobody has it, or a
 * limit that only one kind meets.
 */
export function asking(
  progress: Progress,
  { group_id, taken, free }: { group_id: number; taken: readonly string[]; free: () => string },
) {
  let asked = 0;
  const counts = new Map<string, { taken: number; free: number }>();
  const tried = { what: 'numbers that were asked for', answers: 0 };
  // LIMIT_MEMBERS_ADDED_PER_USER, and a tenth for answers that tell nothing and come to the ones more often by chance.
  Object.assign(progress, { what: 'answers told whether somebody has a number', most: 5_500, tried });
  return {
    readFrame(text: string): ReceivedFrame | undefined {
      if (!text.includes('"GROUP_ADD_MEMBER_')) return answerToSignIn(text);
      const { id, type, payload } = JSON.parse(text) as ReceivedFrame;
      const [error = type] = payload.errors ?? [];
      const answer = readTryAgain(error).text;
      const count = counts.get(answer) ?? { taken: 0, free: 0 };
      counts.set(answer, count);
      if (id.startsWith('taken')) count.taken += 1;
      else count.free += 1;
      tried.answers += 1;
      const all = [...counts];
      progress.reached = all.reduce((sum, [, each]) => sum + Math.abs(each.taken - each.free), 0);
      progress.detail = `taken, free: ${all.map(([name, each]) => `${name} ${each.taken}, ${each.free}`).join('; ')}`;
      return undefined;
    },
    send(client: Pick<ProtocolClient, 'send'>): void {
      asked += 1;
      const isTaken = asked % 2 === 0;
      const member_sid = isTaken ? (taken[(asked / 2) % taken.length] as string) : free();
      client.send(
        'GROUP_ADD_MEMBER_REQUEST',
        { group_id, member_sid },
        `${isTaken ? 'taken' : 'free'}${asked}`,
      );
    },
  };
}
