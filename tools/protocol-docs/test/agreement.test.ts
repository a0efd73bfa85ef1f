import { readFileSync } from 'node:fs';
import {
  checkPayload,
  decodeFrame,
  type FrameType,
  frameTypes,
  isAcknowledgementType,
  isClientRequestType,
} from '@hooligram/protocol';
import { describe, expect, test } from '@jest/globals';
import { Ajv, type ValidateFunction } from 'ajv';
import { exampleFrames } from '../src/examples.ts';
import { descriptionFiles } from '../src/files.ts';

const markdown = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');
const files = descriptionFiles(markdown);
const examples = exampleFrames(markdown);
// Beside each `format` stands a pattern that is stricter.
const ajv = new Ajv({ validateFormats: false, strictTypes: false });
const validators = new Map<string, ValidateFunction>(
  frameTypes.map((type) => [type, ajv.compile(JSON.parse(String(files.get(`schemas/${type}.json`))))]),
);

function schemaAccepts(type: FrameType, frame: unknown): boolean {
  return validators.get(type)?.(frame) === true;
}

/** Whether the server takes a frame of a client, or sends such a frame itself. */
function protocolAccepts(type: FrameType, text: string): boolean {
  if (isClientRequestType(type) || isAcknowledgementType(type)) {
    const decoded = decodeFrame(new TextEncoder().encode(text));
    if (decoded.kind === 'acknowledgement') return decoded.type === type;
    return decoded.kind === 'request' && decoded.type === type && decoded.faults.length === 0;
  }
  return checkPayload(type, JSON.parse(text).payload).faults.length === 0;
}

function agree(type: FrameType, text: string): void {
  expect([text, schemaAccepts(type, JSON.parse(text))]).toEqual([text, protocolAccepts(type, text)]);
}

/** JSON texts, each right for one field and wrong for most. */
const values = [
  ...['null', 'true', 'false', '{}', '[]', '[[]]', '{"__proto__":[]}', '{"length":1}'],
  ...[
    '0',
    '-0',
    '1',
    '1.0',
    '1e3',
    '-1',
    '1.5',
    '9007199254740991',
    '9007199254740992',
    '1e300',
    '1e400',
    '-1e400',
  ],
  ...[
    '""',
    '"x"',
    '"1"',
    '" "',
    '"a b"',
    '"\\n"',
    '"\\u0000"',
    '"a\\u0000b"',
    '"\\ud800"',
    '"\\udc00\\ud800"',
  ],
  ...[
    '"\\ud83d\\ude00"',
    '"e\\u0301"',
    '"\\ufeff"',
    '"\\uffff"',
    '"+1"',
    '"12"',
    '"999"',
    '"1234"',
    '"\\u0661"',
  ],
  ...[
    '"1\\n"',
    '"555"',
    '"5550100"',
    '"5550100\\n"',
    '"12345678901234"',
    '"123456789012345"',
    '"123456789012"',
  ],
  ...['"1.5550100"', '"15550100"', '"1.555"', '"1234.5550100"', '"123.123456789012"', '"123.1234567890123"'],
  ...['["1.5550100"]', '["1.5550100","1.5550100"]', '["1.5550100","x"]', '[1]', '[null]', '["a",1]', '["a"]'],
  ...[64, 65, 100, 101, 128, 129].flatMap((length) => [
    `"${'x'.repeat(length)}"`,
    `"${'😀'.repeat(length)}"`,
  ]),
  ...[
    '"2026-11-22T07:08:57.123Z"',
    '"2026-11-22T07:08:57Z"',
    '"2026-11-22T07:08:57.123456Z"',
    '"2026-02-30T07:08:57.123Z"',
  ],
  ...[
    '"2024-02-29T23:59:59.999Z"',
    '"2026-11-22 07:08:57.123Z"',
    '"2026-11-22T07:08:57.123+00:00"',
    '"2026-11-22"',
  ],
];

/** A pseudo-random number below `limit`, the same in every run (Numerical Recipes' generator). */
function pseudoRandom(seed: number) {
  let state = seed;
  return (limit: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

function withValue(frame: object, value: string): string {
  return JSON.stringify(frame).replace('"@"', () => value);
}

const typed = frameTypes.map((type) => {
  const example = examples.find(({ frame }) => frame.type === type)?.frame;
  if (!example) throw new Error(`docs/protocol.md has no ${type}`);
  return [type, example] as const;
});

describe('the JSON Schema of', () => {
  test('each type accepts the frames of docs/protocol.md', () => {
    for (const { frame } of examples) {
      expect([frame, schemaAccepts(frame.type as FrameType, frame)]).toEqual([frame, true]);
    }
    expect(examples).toHaveLength(markdown.split('```json').length - 1);
  });

  test.each(typed)(
    '%s accepts and refuses the same frames as the server, whichever field is wrong',
    (type, example) => {
      for (const field of Object.keys(example.payload)) {
        for (const value of values)
          agree(type, withValue({ ...example, payload: { ...example.payload, [field]: '@' } }, value));
        const { [field]: _, ...rest } = example.payload as Record<string, unknown>;
        agree(type, JSON.stringify({ ...example, payload: rest }));
      }
      for (const value of values) agree(type, withValue({ ...example, payload: '@' }, value));
      agree(type, JSON.stringify({ id: example.id, type }));
      agree(
        type,
        JSON.stringify({ ...example, more: 1, payload: { ...example.payload, more: 1, constructor: 1 } }),
      );
    },
  );

  test.each(typed.filter(([type]) => isClientRequestType(type) || isAcknowledgementType(type)))(
    '%s accepts and refuses the same ids as the server, and no other type',
    (type, example) => {
      for (const value of values) {
        agree(type, withValue({ ...example, id: '@' }, value));
        agree(type, withValue({ ...example, type: '@' }, value));
      }
      agree(type, JSON.stringify({ type, payload: example.payload }));
      for (const other of frameTypes) agree(type, JSON.stringify({ ...example, type: other }));
    },
  );

  test('each type agrees with the server on 20,000 frames with several wrong fields', () => {
    const below = pseudoRandom(20261122);
    let accepted = 0;
    for (let round = 0; round < 20_000; round += 1) {
      const [type, example] = typed[round % typed.length] as (typeof typed)[number];
      const fields = Object.entries(example.payload).map(([field, sound]) => {
        const value = below(2) === 0 ? JSON.stringify(sound) : values[below(values.length)];
        return `${JSON.stringify(field)}:${value}`;
      });
      const text = `{"id":"1","type":"${type}","payload":{${fields.join()}}}`;
      agree(type, text);
      if (protocolAccepts(type, text)) accepted += 1;
    }
    expect(accepted).toBeGreaterThan(1_000);
    expect(accepted).toBeLessThan(19_000);
  });

  test.each(['VERIFICATION_REQUEST_CODE_REQUEST', 'AUTHORIZATION_SIGN_IN_REQUEST'] as const)(
    '%s knows that country code and phone number have at most 15 digits together',
    (type) => {
      for (let code = 0; code <= 4; code += 1) {
        for (let number = 3; number <= 15; number += 1) {
          const payload = {
            country_code: '1'.repeat(code),
            phone_number: '2'.repeat(number),
            verification_code: '0',
          };
          agree(type, JSON.stringify({ id: '1', type, payload }));
        }
      }
    },
  );
});

describe('no JSON Schema can say', () => {
  const keepAlive = { id: '1', type: 'CONN_KEEP_ALIVE_REQUEST', payload: {} };

  test('that a text is no JSON or no UTF-8: the server refuses it before there is a value', () => {
    for (const bytes of [new TextEncoder().encode('{"id":"1"'), Uint8Array.from([0x7b, 0xff, 0x7d])]) {
      expect(decodeFrame(bytes).kind).toBe('bad-frame');
    }
  });

  test('how many bytes a frame has: its text of any size is accepted', () => {
    const large = { ...keepAlive, more: 'x'.repeat(70_000) };
    expect(schemaAccepts('CONN_KEEP_ALIVE_REQUEST', large)).toBe(true);
  });

  test('which member_sids make a group, or whether a name may be empty: the core refuses those later', () => {
    const create = { id: '1', type: 'GROUP_CREATE_REQUEST', payload: { group_name: '', member_sids: [] } };
    expect(schemaAccepts('GROUP_CREATE_REQUEST', create)).toBe(true);
    expect(protocolAccepts('GROUP_CREATE_REQUEST', JSON.stringify(create))).toBe(true);
  });
});
