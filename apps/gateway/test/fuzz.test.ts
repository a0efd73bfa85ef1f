import { randomInt } from 'node:crypto';
import { closeReasons, decodeFrame } from '@hooligram/protocol';
import { connect, startSystem, type TestClient, type TestSystem, uniqueSid } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const rounds = 40;
const framesPerRound = 150;
const documentedCodes = [1000, ...Object.values(closeReasons).map(({ code }) => code)];
// FUZZ_SEED=... runs once more what failed.
const seed = Number(process.env.FUZZ_SEED ?? randomInt(2 ** 31));

let system: TestSystem;

beforeAll(async () => {
  system = await startSystem({ gateways: 1, cores: 1, gatewayEnv: { BAD_FRAMES_MAX: '75' } });
});

afterAll(() => system?.stop());

/** Pseudo-random numbers, the same for the same seed (mulberry32). */
function createRandom(start: number) {
  let state = start;
  const below = (limit: number) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
  return { below, oneOf: <T>(list: readonly T[]) => list[below(list.length)] as T };
}

type Random = ReturnType<typeof createRandom>;

function soundFrames(group_id: number, sid: string, other: string): object[] {
  const [country_code, phone_number] = sid.split('.');
  const frames: [string, object][] = [
    ['VERIFICATION_REQUEST_CODE_REQUEST', { country_code, phone_number }],
    ['VERIFICATION_SUBMIT_CODE_REQUEST', { verification_code: '000000' }],
    ['AUTHORIZATION_SIGN_IN_REQUEST', { country_code, phone_number, verification_code: '000000' }],
    ['GROUP_CREATE_REQUEST', { group_name: 'fuzz', member_sids: [sid, other] }],
    ['GROUP_LEAVE_REQUEST', { group_id }],
    ['GROUP_ADD_MEMBER_REQUEST', { group_id, member_sid: other }],
    ['MESSAGING_SEND_REQUEST', { group_id, content: 'fuzz 😀' }],
    ['CONN_KEEP_ALIVE_REQUEST', {}],
    ['GROUP_DELIVER_SUCCESS', { group_id }],
    ['GROUP_DELIVER_FAILURE', { errors: ['no'] }],
    ['MESSAGING_DELIVER_SUCCESS', { message_id: 1 }],
    ['MESSAGING_DELIVER_FAILURE', { errors: ['no'] }],
    ['GROUP_DELIVER_REQUEST', { group_id }],
    ['MESSAGING_SEND_FAILURE', { errors: ['no'] }],
    ['GO_TO_HOME', {}],
    ['EXPLODE_REQUEST', {}],
  ];
  return frames.map(([type, payload]) => ({ type, payload }));
}

const junk = [
  'null',
  '-1',
  '1.5',
  '1e400',
  '9007199254740993',
  '""',
  '"\\u0000"',
  '"\\ud800"',
  '[]',
  '[[null]]',
  '{}',
  '{"__proto__":[]}',
  'true',
  `"${'x'.repeat(300)}"`,
];

/** One frame, sound or broken in one of many ways. Its id is its own, unless that is what is broken. */
function mutate(random: Random, frame: object, id: string): Buffer {
  const text = JSON.stringify({ id, ...frame });
  const kind = random.below(8);
  if (kind < 4) return Buffer.from(text);
  if (kind === 4) {
    const bytes = Buffer.from(text);
    for (let damage = random.below(3); damage >= 0; damage -= 1)
      bytes[random.below(bytes.length)] = random.below(256);
    return bytes;
  }
  if (kind === 5) return Buffer.from(text.slice(0, random.below(text.length)));
  if (kind === 6) return Buffer.from(random.oneOf(junk));
  // A value somewhere is replaced by something else.
  const values = [...text.matchAll(/:("[^"]*"|[0-9]+|\[[^\]]*\]|\{[^}]*\})/g)];
  const place = random.oneOf(values);
  const start = (place.index ?? 0) + 1;
  return Buffer.from(text.slice(0, start) + random.oneOf(junk) + text.slice(start + (place[1]?.length ?? 0)));
}

/** What a frame must be answered with: one frame that has one of these types and this id; null for none. */
function expectedAnswer(bytes: Buffer): { id: string; types: string[] } | null {
  const decoded = decodeFrame(bytes);
  if (decoded.kind === 'acknowledgement' || decoded.kind === 'ignored') return null;
  if (decoded.kind === 'bad-frame') return { id: decoded.id, types: ['CONN_FRAME_FAILURE'] };
  const name = decoded.type.replace(/_REQUEST$/, '');
  return { id: decoded.id, types: [`${name}_SUCCESS`, `${name}_FAILURE`] };
}

async function fuzz(random: Random, client: TestClient, frames: readonly object[]): Promise<void> {
  const expected: { id: string; types: string[] }[] = [];
  for (let count = 0; count < framesPerRound; count += 1) {
    const bytes = mutate(random, random.oneOf(frames), `f${count}`);
    const answer = expectedAnswer(bytes);
    if (answer) expected.push(answer);
    client.sendRaw(
      random.below(2) === 0 && Buffer.from(bytes.toString()).equals(bytes) ? bytes.toString() : bytes,
    );
  }
  const isAnswer = ({ id, type }: { id: string; type: string }) =>
    !type.endsWith('_DELIVER_REQUEST') && !id.startsWith('own-');
  const closed = client.closed.then((why) => why);
  // Behind everything else in the session's line, so all the answers are here before its own.
  client.send('GROUP_LEAVE_REQUEST', { group_id: 2 ** 53 - 1 }, 'own-last');
  const last = client.next(({ id }) => id === 'own-last').then(() => undefined);
  const why = await Promise.race([closed, last.catch(() => closed)]);
  if (why) {
    expect(documentedCodes).toContain(why.code);
    expect(why.reason).not.toBe('');
    return;
  }
  await client.roundTrip();
  const answers = client.frames.filter(
    ({ id, type }) => isAnswer({ id, type }) && !(type === 'CONN_KEEP_ALIVE_SUCCESS' && /^\d+$/.test(id)),
  );
  const open = [...answers];
  for (const { id, types } of expected) {
    const index = open.findIndex((answer) => answer.id === id && types.includes(answer.type));
    if (index < 0) throw new Error(`no answer to ${types[0]} ${id}`);
    open.splice(index, 1);
  }
  expect(open).toEqual([]);
}

test('whatever is sent, every request has exactly one answer or its connection a documented end, and others chat on', async () => {
  const random = createRandom(seed);
  const url = system.gateway(0).url;
  const [ada, bob, eve] = [uniqueSid(), uniqueSid(), uniqueSid()];
  const [a, b] = [await connect(url), await connect(url)];
  await a.signIn(ada);
  await b.signIn(bob);
  await (await connect(url)).register(eve);
  const { payload } = await a.requestOk('GROUP_CREATE', { group_name: '', member_sids: [ada, bob] });
  const groupId = payload.group_id ?? 0;
  try {
    for (let round = 0; round < rounds; round += 1) {
      const vandal = await connect(url, {
        acknowledge: random.below(2) === 0 && ((frame) => frame.type.startsWith('M')),
      });
      if (random.below(4) > 0) {
        const [country_code, phone_number] = eve.split('.');
        await vandal.request(
          'AUTHORIZATION_SIGN_IN',
          { country_code, phone_number, verification_code: '000000' },
          'own-in',
        );
      }
      const created = await a.requestOk('GROUP_CREATE', { group_name: 'fuzz', member_sids: [ada, eve, bob] });
      const ids = [groupId, created.payload.group_id ?? 0];
      await fuzz(
        random,
        vandal,
        ids.flatMap((id) => soundFrames(id, eve, bob)),
      );
      const content = `round ${round}`;
      await a.requestOk('MESSAGING_SEND', { group_id: groupId, content });
      await b.next(
        (frame) => frame.type === 'MESSAGING_DELIVER_REQUEST' && frame.payload.content === content,
      );
      vandal.terminate();
    }
    expect(await system.gateway(0).isReady()).toBe(true);
    expect(await system.core(0).isReady()).toBe(true);
  } catch (error) {
    throw new Error(`FUZZ_SEED=${seed}`, { cause: error });
  }
});
