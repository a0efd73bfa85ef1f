import { setTimeout as pause } from 'node:timers/promises';
import { errorTexts, phoneOf } from '@hooligram/protocol';
import {
  type Attack,
  account,
  apart,
  counter,
  counting,
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
      'five connections of one account ask who is here, with GROUP_ADD_MEMBER for one number after the other',
    async start(target, progress) {
      const [one, other] = [await account(target, 1), await account(target, 2)];
      const group = { group_name: 'asking', member_sids: [one.sid, other.sid] };
      const { payload } = await one.client.requestOk('GROUP_CREATE', group);
      const { group_id } = payload;
      // LIMIT_UNKNOWN_MEMBERS_PER_USER
      Object.assign(progress, { what: 'numbers were told', most: 1_000 });
      const readFrame = counting(progress, errorTexts.userUnknown.text);
      for (const _ of times(5, Number)) {
        keepSending(returning(target, 1, { readFrame }), (client) => {
          const member_sid = sidOf(target, 1_000 + next());
          client.send('GROUP_ADD_MEMBER_REQUEST', { group_id, member_sid });
        });
      }
    },
  },
} as const satisfies Record<string, Attack>;
