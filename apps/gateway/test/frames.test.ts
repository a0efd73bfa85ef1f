import {
  connect,
  metrics,
  type ReceivedFrame,
  startSystem,
  type TestClient,
  type TestSystem,
  uniqueSid,
} from '@hooligram/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';

const [ada, bob] = [uniqueSid(), uniqueSid()];
let system: TestSystem;
/** Signed in, in a group with bob. */
let client: TestClient;
let groupId: number;

beforeAll(async () => {
  system = await startSystem({ gateways: 1, cores: 1, gatewayEnv: { BAD_FRAMES_MAX: '1000000' } });
  client = await connect(system.gateway(0).url);
  await client.signIn(ada);
  const created = await client.requestOk('GROUP_CREATE', { group_name: '', member_sids: [ada, bob] });
  groupId = created.payload.group_id ?? 0;
});

afterAll(() => system?.stop());

/** What a connection is answered until it is known that no more comes: the gateway alone answers, in order. */
async function answersTo(raw: string | Uint8Array, to = client): Promise<ReceivedFrame[]> {
  await to.roundTrip();
  const answers = () => to.frames.filter(({ type }) => !type.endsWith('_DELIVER_REQUEST'));
  const before = answers().length;
  to.sendRaw(raw);
  await to.roundTrip();
  return answers().slice(before, -1);
}

function frameFailure(id: string, ...errors: string[]) {
  return [{ id, type: 'CONN_FRAME_FAILURE', payload: { errors } }];
}

function failed(type: string, id: string, ...errors: string[]) {
  return [{ id, type: `${type}_FAILURE`, payload: { errors } }];
}

function raw(type: string, payload: string, id = '"x"'): string {
  return `{"id":${id},"type":"${type}","payload":${payload}}`;
}

describe('what is no frame gets a CONN_FRAME_FAILURE without an id that says why', () => {
  test.each([
    ['', 'frame: must be JSON'],
    ['hello', 'frame: must be JSON'],
    ['{"id":"x",', 'frame: must be JSON'],
    ["{'id':'x'}", 'frame: must be JSON'],
    ['null', 'frame: must be a JSON object'],
    ['true', 'frame: must be a JSON object'],
    ['42', 'frame: must be a JSON object'],
    ['1e400', 'frame: must be a JSON object'],
    ['"CONN_KEEP_ALIVE_REQUEST"', 'frame: must be a JSON object'],
    ['[]', 'frame: must be a JSON object'],
    ['[{"id":"x","type":"CONN_KEEP_ALIVE_REQUEST","payload":{}}]', 'frame: must be a JSON object'],
  ])('%s', async (text, error) => {
    expect(await answersTo(text)).toEqual(frameFailure('', error));
  });

  test('bytes that are no UTF-8', async () => {
    for (const bytes of [
      [0xff, 0xfe],
      [0x7b, 0xc3, 0x7d],
      [0xed, 0xa0, 0x80],
    ]) {
      expect(await answersTo(Uint8Array.from(bytes))).toEqual(frameFailure('', 'frame: must be UTF-8'));
    }
  });

  test('lists and objects 30,000 levels deep', async () => {
    const lists = '['.repeat(30_000) + ']'.repeat(30_000);
    expect(await answersTo(lists)).toEqual(frameFailure('', 'frame: must be a JSON object'));
    expect(await answersTo('['.repeat(60_000))).toEqual(frameFailure('', 'frame: must be JSON'));
    expect(await answersTo(raw('GROUP_LEAVE_REQUEST', lists))).toEqual(
      failed('GROUP_LEAVE', 'x', 'payload: must be an object'),
    );
    const objects = `${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}`;
    expect(await answersTo(raw('GROUP_LEAVE_REQUEST', objects))).toEqual(
      failed('GROUP_LEAVE', 'x', 'payload.group_id: is required'),
    );
  });
});

describe('what cannot be answered as a request gets a CONN_FRAME_FAILURE with all its faults', () => {
  const leave = '{"group_id":1}';

  test.each([
    ['no id and no type', '{}', '', ['id: is required', 'type: is required']],
    ['no type', '{"id":"x","payload":{}}', 'x', ['type: is required']],
    ['a type that is no text', '{"id":"x","type":7,"payload":{}}', 'x', ['type: must be a string']],
    ['a type that is null', '{"id":"x","type":null,"payload":{}}', 'x', ['type: must be a string']],
    ['no id', '{"type":"CONN_KEEP_ALIVE_REQUEST","payload":{}}', '', ['id: is required']],
    ['a number as id', raw('GROUP_LEAVE_REQUEST', leave, '7'), '', ['id: must be a string']],
    ['null as id', raw('GROUP_LEAVE_REQUEST', leave, 'null'), '', ['id: must be a string']],
    ['an object as id', raw('GROUP_LEAVE_REQUEST', leave, '{"a":1}'), '', ['id: must be a string']],
    ['a list as id', raw('GROUP_LEAVE_REQUEST', leave, '["x"]'), '', ['id: must be a string']],
    [
      'a number as id, and a bad payload',
      raw('GROUP_LEAVE_REQUEST', '{"group_id":"1"}', '7'),
      '',
      ['id: must be a string', 'payload.group_id: must be an integer'],
    ],
    ['an empty type', raw('', '{}'), 'x', ['type: must not be empty']],
    [
      'an acknowledgement without an id',
      '{"type":"MESSAGING_DELIVER_SUCCESS","payload":{"message_id":1}}',
      '',
      ['id: is required'],
    ],
  ])('%s', async (_, text, id, errors) => {
    expect(await answersTo(text)).toEqual(frameFailure(id, ...errors));
  });

  test.each([
    ['MESSAGING_DELIVER_SUCCESS', '{}', 'payload.message_id: is required'],
    ['MESSAGING_DELIVER_SUCCESS', '{"message_id":"5"}', 'payload.message_id: must be an integer'],
    ['MESSAGING_DELIVER_SUCCESS', 'null', 'payload: must be an object'],
    ['GROUP_DELIVER_SUCCESS', '{"group_id":1.5}', 'payload.group_id: must be an integer'],
    ['GROUP_DELIVER_SUCCESS', '{"group_id":-1}', 'payload.group_id: must be a positive integer'],
    ['MESSAGING_DELIVER_FAILURE', '{}', 'payload.errors: is required'],
    ['GROUP_DELIVER_FAILURE', '{"errors":["a",1]}', 'payload.errors[1]: must be a string'],
  ])('the acknowledgement %s with %s', async (type, payload, error) => {
    expect(await answersTo(raw(type, payload))).toEqual(frameFailure('x', error));
  });
});

describe('an id', () => {
  test('of 128 characters is taken, as people count them', async () => {
    for (const id of ['x'.repeat(128), '😀'.repeat(128), ' ', '\u0000', '7']) {
      const answer = await client.request('CONN_KEEP_ALIVE', {}, id);
      expect(answer).toEqual({ id, type: 'CONN_KEEP_ALIVE_SUCCESS', payload: {} });
    }
  });

  test('of 129 characters is none', async () => {
    for (const id of ['x'.repeat(129), '😀'.repeat(129)]) {
      expect(await answersTo(raw('CONN_KEEP_ALIVE_REQUEST', '{}', JSON.stringify(id)))).toEqual(
        frameFailure('', 'id: must be at most 128 characters'),
      );
    }
  });

  test('that is empty is one of the faults of a request', async () => {
    expect(await answersTo(raw('GROUP_LEAVE_REQUEST', '{"group_id":0}', '""'))).toEqual(
      failed('GROUP_LEAVE', '', 'id: must not be empty', 'payload.group_id: must be a positive integer'),
    );
    expect(await answersTo(raw('CONN_KEEP_ALIVE_REQUEST', '{}', '""'))).toEqual([
      { id: '', type: 'CONN_KEEP_ALIVE_FAILURE', payload: {} },
    ]);
  });

  test('given twice is the last one', async () => {
    const answer = client.next(({ id, type }) => id === 'second' && type === 'CONN_KEEP_ALIVE_SUCCESS');
    client.sendRaw('{"id":"first","id":"second","type":"CONN_KEEP_ALIVE_REQUEST","payload":{}}');
    await answer;
  });
});

describe('a request that the protocol does not know gets its FAILURE', () => {
  const long = `${'X'.repeat(60_000)}_REQUEST`;

  test.each([
    ['FOO_REQUEST', 'FOO'],
    ['CONN_FRAME_REQUEST', 'CONN_FRAME'],
    ['GROUP_DELIVER_REQUEST_REQUEST', 'GROUP_DELIVER_REQUEST'],
    [long, long.replace(/_REQUEST$/, '')],
  ])('%.40s', async (type, name) => {
    expect(await answersTo(raw(type, '{}'))).toEqual(failed(name, 'x', 'type: unknown request'));
    expect(await answersTo(raw(type, '{}', '""'))).toEqual(
      failed(name, '', 'id: must not be empty', 'type: unknown request'),
    );
  });
});

describe('everything else gets no answer, with an id and without one, and is counted', () => {
  async function counted(reason: string): Promise<number> {
    const { value } = await metrics(system.gateway(0).adminUrl);
    return value('hooligram_gateway_frames_ignored_total', { reason });
  }

  /** Sends it with and without an id, and with one that is none. */
  async function isIgnored(reason: string, type: string): Promise<void> {
    const before = await counted(reason);
    const frames = ['"id":"x",', '', '"id":7,', '"id":"",'].flatMap((id) =>
      ['{}', 'null', '"x"', '{"errors":["x"]}'].map(
        (payload) => `{${id}"type":"${type}","payload":${payload}}`,
      ),
    );
    for (const frame of [...frames, `{"type":"${type}"}`]) expect(await answersTo(frame)).toEqual([]);
    expect(await counted(reason)).toBe(before + frames.length + 1);
  }

  test.each([
    'MESSAGING_SEND_SUCCESS',
    'GROUP_CREATE_FAILURE',
    'CONN_KEEP_ALIVE_SUCCESS',
    'CONN_KEEP_ALIVE_FAILURE',
    'CONN_FRAME_FAILURE',
    'GROUP_DELIVER_REQUEST',
    'MESSAGING_DELIVER_REQUEST',
  ])('%s, which only the server sends', async (type) => {
    await isIgnored('server-type', type);
  });

  test.each([
    'GO_TO_HOME',
    'SIGN_IN',
    'HELLO',
    'FOO_SUCCESS',
    'FOO_FAILURE',
    'conn_keep_alive_request',
    '__proto__',
  ])('%s, which is neither a request nor an acknowledgement', async (type) => {
    await isIgnored('unknown-type', type);
  });

  test('a request that the protocol does not know, without a usable id', async () => {
    for (const id of ['null', '7', '[]', `"${'x'.repeat(129)}"`]) {
      expect(await answersTo(raw('GO_TO_ONBOARDING_REQUEST', '{}', id))).toEqual([]);
    }
    expect(await answersTo('{"type":"GO_TO_ONBOARDING_REQUEST","payload":{}}')).toEqual([]);
  });
});

describe('a request with a bad payload gets its FAILURE with one error for each fault', () => {
  test.each([
    ['"1"', 'must be an integer'],
    ['1.5', 'must be an integer'],
    ['null', 'must be an integer'],
    ['[]', 'must be an integer'],
    ['true', 'must be an integer'],
    ['0', 'must be a positive integer'],
    ['-1', 'must be a positive integer'],
    ['-1e400', 'must be a positive integer'],
    ['9007199254740992', 'must be an integer below 2^53'],
    ['1e400', 'must be an integer below 2^53'],
  ])('%s as group_id, wherever there is one', async (value, error) => {
    const fault = `payload.group_id: ${error}`;
    for (const [name, rest] of [
      ['GROUP_LEAVE', ''],
      ['GROUP_ADD_MEMBER', `,"member_sid":"${bob}"`],
      ['MESSAGING_SEND', ',"content":"x"'],
    ] as const) {
      const text = raw(`${name}_REQUEST`, `{"group_id":${value}${rest}}`);
      expect(await answersTo(text)).toEqual(failed(name, 'x', fault));
    }
  });

  test.each([
    ['GROUP_LEAVE', 'null', ['payload: must be an object']],
    ['GROUP_LEAVE', '[]', ['payload: must be an object']],
    ['GROUP_LEAVE', '{}', ['payload.group_id: is required']],
    ['GROUP_LEAVE', '{"__proto__":{"group_id":1}}', ['payload.group_id: is required']],
    ['MESSAGING_SEND', '{}', ['payload.group_id: is required', 'payload.content: is required']],
    ['MESSAGING_SEND', '{"group_id":1,"content":""}', ['payload.content: must not be empty']],
    ['MESSAGING_SEND', '{"group_id":1,"content":7}', ['payload.content: must be a string']],
    ['MESSAGING_SEND', '{"group_id":1,"content":"a\\u0000b"}', ['payload.content: must not contain NUL']],
    [
      'MESSAGING_SEND',
      '{"group_id":1,"content":"\\ud83d"}',
      ['payload.content: must not contain lone surrogates'],
    ],
    [
      'MESSAGING_SEND',
      '{"group_id":1,"content":"\\ude00x"}',
      ['payload.content: must not contain lone surrogates'],
    ],
    [
      'MESSAGING_SEND',
      '{"group_id":"1","content":"\\u0000\\ud83d"}',
      [
        'payload.group_id: must be an integer',
        'payload.content: must not contain NUL',
        'payload.content: must not contain lone surrogates',
      ],
    ],
    ['GROUP_CREATE', '{}', ['payload.group_name: is required', 'payload.member_sids: is required']],
    [
      'GROUP_CREATE',
      '{"group_name":"\\u0000","member_sids":"1.5550100"}',
      ['payload.group_name: must not contain NUL', 'payload.member_sids: must be a list'],
    ],
    [
      'GROUP_CREATE',
      '{"group_name":"\\udc00","member_sids":["1.5550100",7,"15550100",null,"1.5550101","+1.5550100"]}',
      [
        'payload.group_name: must not contain lone surrogates',
        'payload.member_sids[1]: must be a sid such as 1.5550100',
        'payload.member_sids[2]: must be a sid such as 1.5550100',
        'payload.member_sids[3]: must be a sid such as 1.5550100',
        'payload.member_sids[5]: must be a sid such as 1.5550100',
      ],
    ],
    [
      'GROUP_CREATE',
      `{"group_name":"${'x'.repeat(101)}","member_sids":[]}`,
      ['payload.group_name: must be at most 100 characters'],
    ],
    [
      'VERIFICATION_REQUEST_CODE',
      '{"country_code":"+1","phone_number":"555"}',
      ['payload.country_code: must be 1 to 3 digits', 'payload.phone_number: must be 4 to 14 digits'],
    ],
    [
      'VERIFICATION_REQUEST_CODE',
      '{"country_code":"888","phone_number":"1234567890123"}',
      ['payload.phone_number: must have at most 15 digits together with the country code'],
    ],
    [
      'VERIFICATION_SUBMIT_CODE',
      '{"verification_code":""}',
      ['payload.verification_code: must not be empty'],
    ],
    [
      'AUTHORIZATION_SIGN_IN',
      '{"country_code":1,"phone_number":null}',
      [
        'payload.country_code: must be a string',
        'payload.phone_number: must be a string',
        'payload.verification_code: is required',
      ],
    ],
  ])('%s %s', async (name, payload, errors) => {
    expect(await answersTo(raw(`${name}_REQUEST`, payload))).toEqual(failed(name, 'x', ...errors));
  });

  // What else is no sid: packages/protocol, names.test.ts.
  test.each(['', '15550100', '1.5550100\\n', '1.５５５0100'])('"%s" as sid', async (sid) => {
    const payload = `{"group_id":${groupId},"member_sid":"${sid}"}`;
    const errors = ['payload.member_sid: must be a sid such as 1.5550100'];
    expect(await answersTo(raw('GROUP_ADD_MEMBER_REQUEST', payload))).toEqual(
      failed('GROUP_ADD_MEMBER', 'x', ...errors),
    );
  });

  test('of thousands of faults the first hundred are named and the others counted', async () => {
    const sids = Array.from({ length: 10_000 }, () => 7).join();
    const [answer] = await answersTo(
      raw('GROUP_CREATE_REQUEST', `{"group_name":"x","member_sids":[${sids}]}`),
    );
    expect(answer?.payload.errors).toHaveLength(101);
    expect(answer?.payload.errors?.at(-1)).toBe('payload.member_sids: has 9900 more faulty elements');
  });
});

describe('a sound request is taken', () => {
  const content = 'Zażółć 😀\u2028 \\ud83d';

  async function arrives(text: string | Uint8Array, id: string): Promise<void> {
    client.sendRaw(text);
    const answer = await client.next((frame) => frame.id === id);
    expect(answer).toMatchObject({ type: 'MESSAGING_SEND_SUCCESS' });
    const { message_id } = answer.payload;
    const delivered = await client.next(
      ({ type, payload }) => type === 'MESSAGING_DELIVER_REQUEST' && payload.message_id === message_id,
    );
    expect(delivered.payload.content).toBe(content);
  }

  const sound = (id: string) =>
    JSON.stringify({ id, type: 'MESSAGING_SEND_REQUEST', payload: { group_id: groupId, content } });

  test('from a text frame and from a binary frame alike', async () => {
    await arrives(sound('as-text'), 'as-text');
    await arrives(Buffer.from(sound('as-binary')), 'as-binary');
  });

  test('with unknown properties, which change nothing', async () => {
    const text = sound('more').replace(
      '"payload":{',
      '"colour":"red","__proto__":{"id":5},"payload":{"__proto__":{"content":"no"},"constructor":1,',
    );
    await arrives(text, 'more');
  });

  test('with a key given twice: the last one counts', async () => {
    await arrives(sound('twice').replace('"payload":{', '"payload":{"content":"first",'), 'twice');
  });

  test('with white space around it', async () => {
    await arrives(` \n\t${sound('spaced')}\r\n`, 'spaced');
  });
});

describe('before the sign-in', () => {
  let stranger: TestClient;

  beforeEach(async () => {
    stranger = await connect(system.gateway(0).url);
  });

  test.each(['GROUP_CREATE', 'GROUP_LEAVE', 'GROUP_ADD_MEMBER', 'MESSAGING_SEND'])(
    '%s is refused for that alone, whatever else is wrong with it',
    async (name) => {
      for (const payload of ['{}', 'null', '{"group_id":"x"}']) {
        const answers = await answersTo(raw(`${name}_REQUEST`, payload), stranger);
        expect(answers).toEqual(failed(name, 'x', 'not signed in'));
      }
      const empty = await answersTo(raw(`${name}_REQUEST`, '{}', '""'), stranger);
      expect(empty).toEqual(failed(name, '', 'not signed in'));
    },
  );

  test('every other fault is named as always', async () => {
    expect(await answersTo(raw('VERIFICATION_SUBMIT_CODE_REQUEST', '{}'), stranger)).toEqual(
      failed('VERIFICATION_SUBMIT_CODE', 'x', 'payload.verification_code: is required'),
    );
    expect(await answersTo(raw('FOO_REQUEST', '{}'), stranger)).toEqual(
      failed('FOO', 'x', 'type: unknown request'),
    );
    expect(await answersTo(raw('MESSAGING_DELIVER_SUCCESS', '{"message_id":1}'), stranger)).toEqual([]);
  });
});
