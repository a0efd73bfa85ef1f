import { describe, expect, test } from '@jest/globals';
import { type DecodedFrame, decodeFrame } from './decode.ts';
import { clientRequestTypes, frameTypes, isAcknowledgementType, isClientRequestType } from './frame.ts';

const encoder = new TextEncoder();

function decodeText(text: string): DecodedFrame {
  return decodeFrame(encoder.encode(text));
}

function decode(frame: unknown): DecodedFrame {
  return decodeText(JSON.stringify(frame));
}

function request(type: string, payload: unknown, id: unknown = '1') {
  return decode({ id, type, payload });
}

function faultsOf(decoded: DecodedFrame): readonly string[] {
  return 'faults' in decoded ? decoded.faults : [];
}

const tooLongId = 'id: must be at most 128 characters';
const noMessageId = 'payload.message_id: is required';
const sentBack = { kind: 'ignored', reason: 'server-type' };
const unknown = { kind: 'ignored', reason: 'unknown-type' };

const leave = { id: '7', type: 'GROUP_LEAVE_REQUEST', payload: { group_id: 3 } };

describe('a known request', () => {
  test('without a fault carries its payload', () => {
    expect(decode(leave)).toEqual({ kind: 'request', ...leave, faults: [] });
  });

  test('is the same from an ArrayBuffer and from a view into a larger one', () => {
    const bytes = encoder.encode(`xx${JSON.stringify(leave)}xx`);
    const view = bytes.subarray(2, -2);
    expect(decodeFrame(view)).toEqual(decode(leave));
    expect(decodeFrame(view.slice().buffer)).toEqual(decode(leave));
  });

  test('loses properties that the protocol does not know, and nothing else', () => {
    const text =
      '{"id":"7","type":"GROUP_LEAVE_REQUEST","more":1,"__proto__":{"id":5},' +
      '"payload":{"group_id":3,"colour":"red","__proto__":{"polluted":true},"constructor":1}}';
    const decoded = decodeText(text);
    expect(decoded).toEqual({ kind: 'request', ...leave, faults: [] });
    expect(Object.keys((decoded as { payload: object }).payload)).toEqual(['group_id']);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test('is not made whole by its prototype', () => {
    expect(
      decodeText('{"__proto__":{"id":"7","type":"GROUP_LEAVE_REQUEST","payload":{"group_id":3}}}'),
    ).toEqual({
      kind: 'bad-frame',
      id: '',
      faults: ['id: is required', 'type: is required'],
    });
    expect(
      faultsOf(decodeText('{"id":"7","type":"GROUP_LEAVE_REQUEST","payload":{"__proto__":{"group_id":3}}}')),
    ).toEqual(['payload.group_id: is required']);
  });

  test('with an empty id says so first, before the faults of its payload', () => {
    expect(request('GROUP_LEAVE_REQUEST', { group_id: 'x' }, '')).toEqual({
      kind: 'request',
      type: 'GROUP_LEAVE_REQUEST',
      id: '',
      payload: undefined,
      faults: ['id: must not be empty', 'payload.group_id: must be an integer'],
    });
    expect(faultsOf(request('CONN_KEEP_ALIVE_REQUEST', {}, ''))).toEqual(['id: must not be empty']);
  });

  test('with an unusable id cannot be answered, and names all its faults', () => {
    expect(request('GROUP_LEAVE_REQUEST', { group_id: 0 }, 5)).toEqual({
      kind: 'bad-frame',
      id: '',
      faults: ['id: must be a string', 'payload.group_id: must be a positive integer'],
    });
  });

  test.each(clientRequestTypes)('%s without an object as payload has a fault that says so', (type) => {
    expect(faultsOf(decode({ id: '1', type }))).toEqual(['payload: is required']);
    for (const payload of [null, [], 'x', 1, true]) {
      expect(faultsOf(request(type, payload))).toEqual(['payload: must be an object']);
    }
  });
});

describe('a request that the protocol does not know', () => {
  test('is refused with a FAILURE of its own name', () => {
    expect(request('GROUP_EXPLODE_REQUEST', null)).toEqual({
      kind: 'unknown-request',
      type: 'GROUP_EXPLODE_REQUEST',
      id: '1',
      faults: ['type: unknown request'],
    });
    expect(faultsOf(request('GROUP_EXPLODE_REQUEST', {}, ''))).toEqual([
      'id: must not be empty',
      'type: unknown request',
    ]);
    for (const type of [
      'CONN_FRAME_REQUEST',
      'A_REQUEST_REQUEST',
      '_REQUEST',
      `${'X'.repeat(500)}_REQUEST`,
    ]) {
      expect(request(type, {})).toMatchObject({ kind: 'unknown-request', type });
    }
  });

  test.each([undefined, null, 7, {}, 'x'.repeat(129)])(
    'is ignored without a usable id, as an action of a client’s own screens: %j',
    (id) => {
      expect(decode({ id, type: 'GO_TO_ONBOARDING_REQUEST', payload: {} })).toEqual(unknown);
    },
  );
});

describe('ignored, with or without an id, whatever its payload is', () => {
  const serversTypes = frameTypes.filter(
    (type) => !isClientRequestType(type) && !isAcknowledgementType(type),
  );

  test('is every type that only the server sends', () => {
    expect(serversTypes).toHaveLength(19);
    expect(serversTypes).toContain('CONN_FRAME_FAILURE');
    expect(serversTypes.filter((type) => type.endsWith('_REQUEST'))).toEqual([
      'GROUP_DELIVER_REQUEST',
      'MESSAGING_DELIVER_REQUEST',
    ]);
  });

  test.each(serversTypes)('%s', (type) => {
    for (const id of ['1', '', undefined, 5, 'x'.repeat(129)]) {
      for (const payload of [{}, undefined, null, 'x'])
        expect(decode({ id, type, payload })).toEqual(sentBack);
    }
  });

  test.each([
    'GO_TO_HOME',
    'SIGN_IN',
    'WEBSOCKET_OPEN',
    'HELLO',
    'FOO_SUCCESS',
    'FOO_FAILURE',
    'GO_TO_ONBOARDING_REQUEST_FAILURE',
    '_SUCCESS',
    'conn_keep_alive_request',
    'CONN_KEEP_ALIVE_REQUEST ',
    '__proto__',
    'constructor',
    ' ',
    'X'.repeat(129),
  ])('%j, which is neither a request nor an acknowledgement', (type) => {
    for (const id of ['1', '', undefined, 5, 'x'.repeat(129)]) {
      for (const payload of [{}, undefined, null, 'x'])
        expect(decode({ id, type, payload })).toEqual(unknown);
    }
  });
});

describe('an acknowledgement', () => {
  test.each([
    ['MESSAGING_DELIVER_SUCCESS', { message_id: 5 }],
    ['MESSAGING_DELIVER_FAILURE', { errors: ['no room'] }],
    ['GROUP_DELIVER_SUCCESS', { group_id: 5 }],
    ['GROUP_DELIVER_FAILURE', { errors: [] }],
  ])('%s needs no id of the server, and may have an empty one', (type, payload) => {
    for (const id of ['', 'mine', 'm.1.5']) {
      expect(request(type, payload, id)).toEqual({ kind: 'acknowledgement', type, id, payload });
    }
  });

  test('that is malformed is a bad frame with its id and faults', () => {
    expect(request('MESSAGING_DELIVER_SUCCESS', { message_id: '5' }, 'm.1.5')).toEqual({
      kind: 'bad-frame',
      id: 'm.1.5',
      faults: ['payload.message_id: must be an integer'],
    });
    expect(faultsOf(request('GROUP_DELIVER_FAILURE', {}))).toEqual(['payload.errors: is required']);
    expect(faultsOf(request('GROUP_DELIVER_FAILURE', { errors: ['a', 1] }))).toEqual([
      'payload.errors[1]: must be a string',
    ]);
  });
});

describe('a bad frame', () => {
  test('that is no UTF-8 is refused, and the next frame is not affected', () => {
    for (const bytes of [[0xff], [0x22, 0xc3], [0xed, 0xa0, 0x80], [0xf0, 0x9f]]) {
      expect(faultsOf(decodeFrame(Uint8Array.from(bytes)))).toEqual(['frame: must be UTF-8']);
      expect(decode(leave).kind).toBe('request');
    }
  });

  test.each(['', ' ', '{', '{"id":"1"', 'hello', "{'id':'1'}", '{"id":1e}', 'NaN'])(
    '%j must be JSON',
    (text) => {
      expect(decodeText(text)).toEqual({ kind: 'bad-frame', id: '', faults: ['frame: must be JSON'] });
    },
  );

  test.each(['null', '[]', '"x"', '1', 'true', '1e400'])('%s must be a JSON object', (text) => {
    expect(decodeText(text)).toEqual({ kind: 'bad-frame', id: '', faults: ['frame: must be a JSON object'] });
  });

  test.each([
    [{}, '', ['id: is required', 'type: is required']],
    [{ id: 1, type: 2 }, '', ['id: must be a string', 'type: must be a string']],
    [{ id: null, type: null }, '', ['id: must be a string', 'type: must be a string']],
    [{ id: 'a' }, 'a', ['type: is required']],
    [{ id: 'a', type: [] }, 'a', ['type: must be a string']],
    [{ id: 'a', type: '' }, 'a', ['type: must not be empty']],
    [{ id: 'x'.repeat(129), type: '' }, '', [tooLongId, 'type: must not be empty']],
    [{ type: 'CONN_KEEP_ALIVE_REQUEST', payload: {} }, '', ['id: is required']],
    [{ type: 'MESSAGING_DELIVER_SUCCESS', payload: {} }, '', ['id: is required', noMessageId]],
    [{ id: 7, type: 'MESSAGING_DELIVER_SUCCESS', payload: { message_id: 1 } }, '', ['id: must be a string']],
  ])('%j keeps a usable id and is told why', (frame, id, faults) => {
    expect(decode(frame)).toEqual({ kind: 'bad-frame', id, faults });
  });

  test('is a request whose id has more than 128 characters, counted as people count', () => {
    const fits = '😀'.repeat(128);
    expect(request('GROUP_LEAVE_REQUEST', leave.payload, fits)).toMatchObject({ kind: 'request', id: fits });
    expect(request('GROUP_LEAVE_REQUEST', leave.payload, `${fits}x`)).toEqual({
      kind: 'bad-frame',
      id: '',
      faults: [tooLongId],
    });
  });
});

test('before the sign-in the payload of a request that needs one is not looked at', () => {
  const member_sids = Array.from({ length: 5_000 }, () => 'no sid');
  const decoded = (id: unknown, isSignedIn: boolean) =>
    decodeFrame(
      new TextEncoder().encode(
        JSON.stringify({ id, type: 'GROUP_CREATE_REQUEST', payload: { member_sids } }),
      ),
      isSignedIn,
    );
  expect(decoded('1', false)).toEqual({
    kind: 'request',
    id: '1',
    type: 'GROUP_CREATE_REQUEST',
    payload: undefined,
    faults: ['not signed in'],
  });
  expect(decoded('1', true)).toMatchObject({ kind: 'request', faults: { length: 102 } });
  expect(decoded(1, false)).toMatchObject({ kind: 'bad-frame' });
});
