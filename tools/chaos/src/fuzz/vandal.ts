import { closeReasons, decodeFrame } from '@hooligram/protocol';
import { type Close, ProtocolClient, type ReceivedFrame } from '@hooligram/protocol-client';
import type { Random } from '../random.ts';
import { mutate } from './mutate.ts';
import type { FuzzFrame } from './sound-frames.ts';

const documentedCodes: readonly number[] = [1000, ...Object.values(closeReasons).map(({ code }) => code)];
const timeoutMs = 60_000;

type Expected = { readonly id: string; readonly types: readonly string[] };

/** What a frame must be answered with: one frame that has this id and one of these types; undefined for none. */
function expectedAnswer(bytes: Buffer): Expected | undefined {
  const decoded = decodeFrame(bytes);
  if (decoded.kind === 'acknowledgement' || decoded.kind === 'ignored') return undefined;
  if (decoded.kind === 'bad-frame') return { id: decoded.id, types: ['CONN_FRAME_FAILURE'] };
  const name = decoded.type.replace(/_REQUEST$/, '');
  return { id: decoded.id, types: [`${name}_SUCCESS`, `${name}_FAILURE`] };
}

/**
 * Sends mutated frames on one connection. Each request must have exactly one answer under its own id, or the
 * connection a documented end.
 * @param signIn the sid of a registered user; undefined: stays nobody
 * @returns what is wrong, in words
 */
export async function vandalize(
  random: Random,
  url: string,
  { signIn, frames, count }: { signIn: string | undefined; frames: readonly FuzzFrame[]; count: number },
): Promise<string[]> {
  // Messages are acknowledged by some and groups by none, as the mobile client does.
  const acknowledges = random.integer(0, 1) === 1;
  const isMessage = ({ type }: ReceivedFrame) => type === 'MESSAGING_DELIVER_REQUEST';
  const client = new ProtocolClient(url, { timeoutMs, acknowledge: acknowledges && isMessage });
  try {
    await client.opened;
    const ended = signIn === undefined ? undefined : await orClosed(client, client.authorize(signIn));
    if (ended) return judgeClose(ended);
    const before = client.frames.length;
    const expected = sendAll(random, client, frames, count);
    const why = await answered(client);
    return why ? judgeClose(why) : compare(expected, client.frames.slice(before));
  } finally {
    client.terminate();
  }
}

/** @returns what is wrong with a close, in words */
function judgeClose({ code, reason }: Close): string[] {
  const isDocumented = documentedCodes.includes(code) && reason !== '';
  return isDocumented ? [] : [`closed with ${code} "${reason}"`];
}

function sendAll(
  random: Random,
  client: ProtocolClient,
  frames: readonly FuzzFrame[],
  count: number,
): Expected[] {
  const expected: Expected[] = [];
  for (let n = 0; n < count; n += 1) {
    const bytes = mutate(random, random.pick(frames), `f${n}`);
    const answer = expectedAnswer(bytes);
    if (answer) expected.push(answer);
    const isText = Buffer.from(bytes.toString()).equals(bytes);
    client.sendRaw(isText && random.integer(0, 1) === 1 ? bytes.toString() : bytes);
  }
  return expected;
}

/** Resolves when everything before is answered, or with how the connection was closed. */
async function answered(client: ProtocolClient): Promise<Close | undefined> {
  // Behind everything else in the session's line, so all the answers are here before its own.
  const why = await orClosed(client, client.request('GROUP_LEAVE', { group_id: 2 ** 53 - 1 }, 'own-last'));
  // Its own line is a shorter one.
  return why ?? orClosed(client, client.request('CONN_KEEP_ALIVE', {}, 'own-keep-alive'));
}

/**
 * Another connection of the same user may end the credential at any moment, and this one with it.
 * @returns how the connection was closed before the answer came; undefined when it came
 */
async function orClosed(client: ProtocolClient, answer: Promise<unknown>): Promise<Close | undefined> {
  try {
    await answer;
    return undefined;
  } catch (error) {
    if (client.socket.readyState === client.socket.OPEN) throw error;
    return client.closed;
  }
}

/** Acknowledgements have ids of the client's own counting, and get no answer. */
function compare(expected: readonly Expected[], frames: readonly ReceivedFrame[]): string[] {
  const open = frames.filter(({ id, type }) => !type.endsWith('_DELIVER_REQUEST') && !id.startsWith('own-'));
  const problems: string[] = [];
  for (const { id, types } of expected) {
    const index = open.findIndex((answer) => answer.id === id && types.includes(answer.type));
    if (index < 0) problems.push(`no answer to ${types[0]} with id ${JSON.stringify(id)}`);
    else open.splice(index, 1);
  }
  return [...problems, ...open.map((frame) => `nobody asked for ${JSON.stringify(frame).slice(0, 200)}`)];
}
