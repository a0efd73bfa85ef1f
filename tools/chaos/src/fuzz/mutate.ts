import type { Random } from '../random.ts';
import { beyond, type FuzzFrame } from './sound-frames.ts';

const junk = [
  ...['null', '-1', '1.5', '1e400', '9007199254740993', 'true', '""', '"\\u0000"', '"\\ud800"'],
  ...['[]', '[[null]]', '{}', '{"__proto__":[]}', '{"toString":1}', `"${'x'.repeat(300)}"`],
];

/** One frame, sound or broken in one of many ways. Its id is its own, unless that is what is broken. */
export function mutate(random: Random, { type, payload }: FuzzFrame, id: string): Buffer {
  const text = JSON.stringify({ id, type, payload });
  const how = random.pick(ways);
  return typeof how === 'string' ? Buffer.from(text) : how(random, text, { type, payload }, id);
}

type Way = (random: Random, text: string, frame: FuzzFrame, id: string) => Buffer;

const ways: readonly (Way | 'sound')[] = [
  'sound',
  'sound',
  'sound',
  damaged,
  cut,
  onlyJunk,
  replaced,
  outside,
];

function damaged(random: Random, text: string): Buffer {
  const bytes = Buffer.from(text);
  for (let damage = random.integer(1, 3); damage > 0; damage -= 1) {
    bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255);
  }
  return bytes;
}

function cut(random: Random, text: string): Buffer {
  return Buffer.from(text.slice(0, random.integer(0, text.length - 1)));
}

function onlyJunk(random: Random): Buffer {
  return Buffer.from(random.pick(junk));
}

/** A value somewhere is replaced by something else. */
function replaced(random: Random, text: string): Buffer {
  const values = [...text.matchAll(/:("[^"]*"|[0-9]+|\[[^\]]*\]|\{[^}]*\})/g)];
  const place = random.pick(values);
  const start = place.index + 1;
  return Buffer.from(text.slice(0, start) + random.pick(junk) + text.slice(start + (place[1]?.length ?? 0)));
}

/** A property of the payload is gone, or lies just beyond what its schema allows. */
function outside(random: Random, text: string, { type, payload }: FuzzFrame, id: string): Buffer {
  const names = Object.keys(payload as object);
  if (names.length === 0) return Buffer.from(text);
  const name = random.pick(names);
  const value = random.pick([undefined, ...beyond(type, name)]);
  return Buffer.from(JSON.stringify({ id, type, payload: { ...(payload as object), [name]: value } }));
}
