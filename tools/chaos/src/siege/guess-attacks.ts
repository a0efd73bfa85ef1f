import { setTimeout as pause } from 'node:timers/promises';
import { errorTexts, phoneOf } from '@hooligram/protocol';
import type { ProtocolClient } from '@hooligram/protocol-client';
import {
  type Attack,
  apart,
  counter,
  counting,
  open,
  type Progress,
  sidOf,
  type Target,
  times,
} from './attack.ts';
import { rightCode } from './honest-users.ts';
import { keepSending } from './keep-sending.ts';

// They want to be somebody else, to seem to come from somewhere else, or to keep somebody out.

const neighbours = 5;
const networks = 200;
/** So many failures in a shared network are behind it when the neighbours come. */
const failuresFirst = 200;
const retryMs = 100;
/** So many codes of a number may be told to be wrong: LIMIT_GUESSES_PER_NUMBER. */
const toldOfNumber = 3;
/** And so many more, for the first guess of each network: LIMIT_GUESSES_FIRST_OF_NETWORK. */
const toldFirstOfNetworkMax = 6;

const next = counter();

/** An invented code of somebody; never the right one. */
const guess = (sid: string) => ({
  ...phoneOf(sid),
  verification_code: String(10_000_000 + (next() % 90_000_000)),
});

/** One number after the other, every second one an honest user's. */
function someNumber(target: Target): string {
  const n = next();
  const { honest } = target;
  return (n % 2 === 0 ? honest[(n / 2) % honest.length] : undefined) ?? sidOf(target, n);
}

/**
 * Guesses at the code of the owner who has no token, and at other numbers. The owner's code is the next one to be tried when
 * as many were told to be wrong as limits allow: then a right one must be refused like a wrong one.
 *
 * @param networks (/24) from which guesses come
 */
export function guessing(target: Target, progress: Progress, networks: number, others: () => string) {
  const toldMax = toldOfNumber + Math.min(networks, toldFirstOfNetworkMax);
  let told = 0;
  let sent = 0;
  const tried = { what: "answers to the owner's own code", answers: 0 };
  Object.assign(progress, { what: 'guesses were right', most: 0, tried });
  return {
    readFrame(text: string): undefined {
      if (text.includes('"id":"right')) tried.answers += 1;
      if (text.includes('"AUTHORIZATION_SIGN_IN_SUCCESS"')) progress.reached += 1;
      else if (text.includes('"id":"wrong') && text.includes(errorTexts.wrongCredential.text)) told += 1;
    },
    send(client: Pick<ProtocolClient, 'send'>): void {
      sent += 1;
      if (sent % 2 === 0) {
        client.send('AUTHORIZATION_SIGN_IN_REQUEST', guess(others()));
        return;
      }
      const payload = guess(target.codeOwner.sid);
      if (told >= toldMax) payload.verification_code = rightCode;
      client.send('AUTHORIZATION_SIGN_IN_REQUEST', payload, `${told < toldMax ? 'wrong' : 'right'}${sent}`);
    },
  };
}

/** Guesses from the victim's address, one after the other, for as long as the process lives. */
async function guessBeside(target: Target, onFailure: () => void): Promise<never> {
  for (;;) {
    try {
      const client = await open(target, 0, { localAddress: target.victimAddress });
      for (;;) {
        const { type } = await client.request('AUTHORIZATION_SIGN_IN', guess(someNumber(target)));
        if (type === 'AUTHORIZATION_SIGN_IN_FAILURE') onFailure();
      }
    } catch {
      await pause(retryMs);
    }
  }
}

/** A neighbour of the victim's, who signs up. @returns whether they sign in again, with the token of their telephone */
async function neighbour(target: Target, sid: string): Promise<() => Promise<boolean>> {
  const from = () => open(target, 0, { localAddress: target.victimAddress });
  const first = await from();
  await first.requestOk('VERIFICATION_REQUEST_CODE', phoneOf(sid));
  const { payload } = await first.requestOk('VERIFICATION_SUBMIT_CODE', { verification_code: '000000' });
  first.terminate();
  return async () => {
    const client = await from();
    const signIn = { ...phoneOf(sid), verification_code: payload.token };
    const { type } = await client.request('AUTHORIZATION_SIGN_IN', signIn);
    client.terminate();
    return type === 'AUTHORIZATION_SIGN_IN_SUCCESS';
  };
}

export const guessAttacks = {
  'wrong-sign-ins': {
    about: '200 addresses sign in with wrong codes as two honest users, one of whom has no token',
    async start(target, progress) {
      const { readFrame, send } = guessing(target, progress, 1, () => target.victim);
      for (const n of times(200, Number)) keepSending(() => open(target, n, { readFrame }), send);
    },
  },
  'guesses-at-many-numbers': {
    about: `${networks} networks guess codes of one number after the other, honest users among them`,
    async start(target, progress) {
      const { readFrame, send } = guessing(target, progress, networks, () => someNumber(target));
      for (const n of times(networks, Number)) keepSending(() => open(target, apart(n), { readFrame }), send);
    },
  },
  'chosen-addresses': {
    about: 'one address names another one in X-Forwarded-For on each connection, and requests codes',
    async start(target, progress) {
      // LIMIT_TEXTS_PER_SOURCE: by the address that it has.
      Object.assign(progress, { what: 'codes were sent', most: 50 });
      const readFrame = counting(progress, 'VERIFICATION_REQUEST_CODE');
      for (const _ of times(50, Number)) {
        keepSending(
          () => {
            const n = next();
            const headers = { 'x-forwarded-for': `198.18.${(n >> 8) & 255}.${n & 255}` };
            return open(target, 1, { headers, readFrame });
          },
          (client) => {
            // Numbers of a thousand prefixes: what stops it is the limit of its address.
            const sid = sidOf(target, (next() % 1_000) * 10_000);
            client.send('VERIFICATION_REQUEST_CODE_REQUEST', phoneOf(sid));
          },
        );
      }
    },
  },
  'neighbours-guess': {
    about: '20 connections guess codes from the address of an honest user, whose neighbours come back',
    async start(target, progress) {
      const signIns = await Promise.all(times(neighbours, (n) => neighbour(target, sidOf(target, n))));
      Object.assign(progress, { what: 'neighbours signed in', wanted: neighbours });
      let failures = 0;
      await new Promise<void>((resolve) => {
        const onFailure = () => {
          failures += 1;
          if (failures === failuresFirst) resolve();
        };
        for (const _ of times(20, Number)) void guessBeside(target, onFailure);
      });
      for (const signIn of signIns) if (await signIn()) progress.reached += 1;
    },
  },
} as const satisfies Record<string, Attack>;
