import { describe, expect, test } from '@jest/globals';
import { type DecodedFrame, decodeFrame } from './decode.ts';
import { failure, frameFailure } from './encode.ts';
import { checkPayload } from './faults.ts';
import { isFrameType } from './frame.ts';
import { frameBytesMax } from './limits.ts';

const encoder = new TextEncoder();

const soundFrames = [
  {
    id: 'a',
    type: 'VERIFICATION_REQUEST_CODE_REQUEST',
    payload: { country_code: '1', phone_number: '5550100' },
  },
  { id: 'b', type: 'VERIFICATION_SUBMIT_CODE_REQUEST', payload: { verification_code: '123456' } },
  {
    id: 'c',
    type: 'AUTHORIZATION_SIGN_IN_REQUEST',
    payload: { country_code: '1', phone_number: '5550100', verification_code: '123456' },
  },
  {
    id: 'd',
    type: 'GROUP_CREATE_REQUEST',
    payload: { group_name: 'Söndag', member_sids: ['1.5550100', '44.20794600'] },
  },
  { id: 'e', type: 'GROUP_LEAVE_REQUEST', payload: { group_id: 1 } },
  { id: 'f', type: 'GROUP_ADD_MEMBER_REQUEST', payload: { group_id: 1, member_sid: '1.5550100' } },
  { id: 'g', type: 'MESSAGING_SEND_REQUEST', payload: { group_id: 1, content: 'Hej 😀' } },
  { id: 'h', type: 'CONN_KEEP_ALIVE_REQUEST', payload: {} },
  { id: 'i', type: 'GROUP_DELIVER_SUCCESS', payload: { group_id: 1 } },
  { id: 'j', type: 'GROUP_DELIVER_FAILURE', payload: { errors: ['no'] } },
  { id: 'k', type: 'MESSAGING_DELIVER_SUCCESS', payload: { message_id: 1 } },
  { id: 'l', type: 'MESSAGING_DELIVER_FAILURE', payload: { errors: ['no'] } },
];

const junk = [
  'null',
  'true',
  '-1',
  '1.5',
  '1e400',
  '""',
  '"x"',
  '"\\u0000"',
  '"\\ud800"',
  '[]',
  '[[]]',
  '{}',
  '{"__proto__":[]}',
];

/** What a gateway would answer, if anything. Throws unless it is one frame of the protocol that tells why. */
function answerTo(decoded: DecodedFrame): void {
  if (decoded.kind === 'acknowledgement' || decoded.kind === 'ignored') return;
  if (decoded.kind === 'request' && decoded.payload !== undefined) return;
  expect(decoded.faults.length).toBeGreaterThan(0);
  const answer = JSON.parse(
    decoded.kind === 'bad-frame'
      ? frameFailure(decoded.id, decoded.faults)
      : failure(decoded.type, decoded.id, decoded.faults),
  );
  expect(Object.keys(answer)).toEqual(['id', 'type', 'payload']);
  expect(answer.type).toMatch(/_FAILURE$/);
  if (isFrameType(answer.type)) expect(checkPayload(answer.type, answer.payload).faults).toEqual([]);
}

/** A pseudo-random number below `limit`, the same in every run (Numerical Recipes' generator). */
function pseudoRandom(seed: number) {
  let state = seed;
  return (limit: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

describe('malformed input', () => {
  test('in any one place of any frame is reported by the name of that place', () => {
    for (const frame of soundFrames) {
      for (const field of Object.keys(frame.payload)) {
        for (const value of junk) {
          const text = JSON.stringify({ ...frame, payload: { ...frame.payload, [field]: '@' } });
          const decoded = decodeFrame(encoder.encode(text.replace('"@"', value)));
          answerTo(decoded);
          const faults = 'faults' in decoded ? decoded.faults : [];
          for (const fault of faults) expect(fault.startsWith(`payload.${field}`)).toBe(true);
        }
        const { [field]: _, ...rest } = frame.payload as Record<string, unknown>;
        const decoded = decodeFrame(encoder.encode(JSON.stringify({ ...frame, payload: rest })));
        expect(decoded).toMatchObject({ faults: [`payload.${field}: is required`] });
      }
      for (const key of ['id', 'type', 'payload']) {
        for (const value of junk) {
          answerTo(
            decodeFrame(encoder.encode(JSON.stringify({ ...frame, [key]: '@' }).replace('"@"', value))),
          );
        }
      }
    }
  });

  test('of damaged bytes never throws, and every answer says why', () => {
    const below = pseudoRandom(20260101);
    for (let round = 0; round < 20_000; round += 1) {
      const bytes = encoder.encode(JSON.stringify(soundFrames[round % soundFrames.length]));
      for (let damage = below(3); damage >= 0; damage -= 1) bytes[below(bytes.length)] = below(256);
      answerTo(decodeFrame(bytes.subarray(0, below(4) === 0 ? below(bytes.length) : bytes.length)));
    }
  });

  test('without any damage is none: every sound frame is taken', () => {
    for (const frame of soundFrames)
      expect(decodeFrame(encoder.encode(JSON.stringify(frame)))).toMatchObject(frame);
  });
});

describe('a frame of 64 KiB made to cost time', () => {
  const around = (payload: string) => `{"id":"1","type":"MESSAGING_SEND_REQUEST","payload":${payload}}`;
  const create = (sids: string) =>
    `{"id":"1","type":"GROUP_CREATE_REQUEST","payload":{"group_name":"","member_sids":[${sids}]}}`;

  test.each([
    ['lists 30,000 levels deep', around('['.repeat(30_000) + ']'.repeat(30_000))],
    ['objects 10,000 levels deep', around(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`)],
    ['levels that never end', around('['.repeat(60_000))],
    ['a property 9,000 times', around(`{${'"a":1,'.repeat(9_000)}"a":1}`)],
    ['6,000 properties', around(`{${Array.from({ length: 6_000 }, (_, i) => `"${i}x":1`).join()}}`)],
    ['a number of 60,000 digits', around(`{"group_id":${'9'.repeat(60_000)},"content":"x"}`)],
    ['32,000 faulty elements', create(`${'0,'.repeat(32_000)}0`)],
    ['a sid of 60,000 digits', create(`"${'1'.repeat(60_000)}"`)],
    ['60,000 dots', create(`"${'.'.repeat(60_000)}"`)],
    ['an id of 60,000 characters', around('{}').replace('"1"', `"${'x'.repeat(60_000)}"`)],
  ])('%s: is answered with less than 50 ms of CPU, and with less than itself', (_, text) => {
    const bytes = encoder.encode(text);
    expect(bytes.length).toBeLessThanOrEqual(frameBytesMax);
    // CPU and not time: other processes may have theirs meanwhile. The least of several times: a collection of garbage, or
    // the compiler, may have its own during one of them.
    const taken = Array.from({ length: 3 }, () => {
      const before = process.cpuUsage();
      decodeFrame(bytes);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1_000;
    });
    expect(Math.min(...taken)).toBeLessThan(50);
    const decoded = decodeFrame(bytes);
    answerTo(decoded);
    if ('faults' in decoded) expect(JSON.stringify(decoded.faults).length).toBeLessThan(8_192);
  });
});
