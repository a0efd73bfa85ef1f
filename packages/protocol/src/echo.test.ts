import { describe, expect, test } from '@jest/globals';
import { type DecodedFrame, decodeFrame } from './decode.ts';
import { encodeFrame, failure, frameFailure } from './encode.ts';
import { type FrameType, frameTypes, isAcknowledgementType, isClientRequestType } from './frame.ts';
import { idCharactersMax } from './limits.ts';

const encoder = new TextEncoder();
const decodeText = (text: string) => decodeFrame(encoder.encode(text));

const isServers = (type: FrameType) => !isClientRequestType(type) && !isAcknowledgementType(type);
const serverTypes = frameTypes.filter(isServers);

/** A pseudo-random number below `limit`, the same in every run (Numerical Recipes' generator). */
function pseudoRandom(seed: number) {
  let state = seed;
  return (limit: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

const below = pseudoRandom(20260501);
const oneOf = <T>(list: readonly T[]) => list[below(list.length)] as T;

/** Parts of which the names of types are made, so that many of those made here are almost ones of the table. */
const parts = ['GROUP', 'MESSAGING', 'CONN', 'FRAME', 'DELIVER', 'SEND', 'KEEP_ALIVE', 'REQUEST', 'SUCCESS'];
const strange = ['FAILURE', '', ' ', '__proto__', 'request', '\u0000', '\ud800', '😀', 'x'.repeat(300)];
const ids = [
  '',
  '1',
  'm.1.5',
  'g.1.5',
  '1764000000000',
  '😀'.repeat(idCharactersMax),
  '\u2028"\\',
  'x'.repeat(129),
];
const values = [
  undefined,
  null,
  0,
  1,
  -1.5,
  2 ** 53,
  '',
  'x',
  [],
  ['x', 1],
  {},
  { errors: ['x'] },
  { group_id: 1 },
];

const someType = () => Array.from({ length: 1 + below(4) }, () => oneOf([...parts, ...strange])).join('_');

/** What a client may send: often of a known type, often broken. */
function someFrame(): string {
  const type = below(2) === 0 ? oneOf(frameTypes) : oneOf([someType(), `${someType()}_REQUEST`, ...values]);
  const payload = oneOf([
    ...values,
    { message_id: 1 },
    { group_id: 1, content: 'x' },
    { verification_code: 'x' },
  ]);
  const text = JSON.stringify({ id: oneOf<unknown>([...ids, ...values]), type, payload });
  return below(10) === 0 ? text.slice(0, below(text.length)) : text;
}

/** Everything that a server can answer to a frame. */
function answersTo(frame: DecodedFrame): string[] {
  if (frame.kind === 'acknowledgement' || frame.kind === 'ignored') return [];
  if (frame.kind === 'bad-frame') return [frameFailure(frame.id, frame.faults)];
  const failures = [
    failure(frame.type, frame.id, frame.faults),
    failure(frame.type, frame.id, ['server busy']),
  ];
  if (frame.kind === 'unknown-request') return failures;
  const type = frame.type.replace(/REQUEST$/, 'SUCCESS');
  return [...failures, JSON.stringify({ id: frame.id, type, payload: { group_id: 1, message_id: 1 } })];
}

describe('a client that sends back every frame that it is sent', () => {
  test('is answered to none of the server’s types, whatever they carry', () => {
    expect(serverTypes).toHaveLength(19);
    for (const type of serverTypes) {
      for (const id of ids) {
        for (const payload of values) {
          const text = JSON.stringify({ id, type, payload });
          expect(decodeText(text)).toEqual({ kind: 'ignored', reason: 'server-type' });
        }
      }
      expect(decodeText(encodeFrame(type, 'x', { errors: [] } as never)).kind).toBe('ignored');
    }
  });

  test('is answered to no answer, whatever it was an answer to: no frame begins a loop', () => {
    const kinds = new Map<string, number>();
    for (let round = 0; round < 30_000; round += 1) {
      const text = someFrame();
      const frame = decodeText(text);
      kinds.set(frame.kind, (kinds.get(frame.kind) ?? 0) + 1);
      for (const answer of answersTo(frame)) {
        // With its keys in another order, too: a client may build the frame again.
        const { id, type, payload } = JSON.parse(answer);
        for (const echo of [answer, JSON.stringify({ payload, type, id })]) {
          const again = decodeText(echo);
          if (again.kind !== 'ignored')
            throw new Error(`${text} is answered ${answer}, which is ${again.kind}`);
        }
      }
    }
    // The frames made here are of every kind, each many times.
    expect([...kinds.keys()].sort()).toEqual([
      'acknowledgement',
      'bad-frame',
      'ignored',
      'request',
      'unknown-request',
    ]);
    for (const count of kinds.values()) expect(count).toBeGreaterThan(50);
  });
});
