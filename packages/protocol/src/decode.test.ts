import { describe, expect, test } from '@jest/globals';
import { type DecodedFrame, decodeFrame } from './decode.ts';
import { clientRequestTypes, frameTypes } from './frame.ts';

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

  test('with an unusable id cannot be answered, and tells all its faults', () => {
    expect(request('GROUP_LEAVE_REQUEST', { group_id: 0 }, 5)).toEqual({
      kind: 'bad-frame',
      id: '',
      faults: ['id: must be a string', 'payload.group_id: must be a positive integer'],
    });
  });

  test.each(clientRequestTypes)('%s without an object as payload is told so', (type) => {
    expect(faultsOf(decode({ id: '1', type }))).toEqual(['payload: is required']);
    for (const payload of [null, [], 'x', 1, true]) {
      expect(faultsOf(request(type, payload))).toEqual(['payload: must be an object']);
    }
  });
});

describe('a request that clients cannot make', () => {
  test('is told that it is unknown', () => {
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
    expect(request('CONN_FRAME_REQUEST', {}).kind).toBe('unknown-request');
  });

  test.each(['GROUP_DELIVER_REQUEST', 'MESSAGING_DELIVER_REQUEST'])('%s is told who sends it', (type) => {
    expect(request(type, {})).toMatchObject({
      kind: 'unknown-request',
      faults: ['type: only the server sends this request'],
    });
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

describe('a frame that can get no answer of its own', () => {
  test('that is no UTF-8 is told so, and the next frame is not affected', () => {
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
    [{ id: 'a', type: '' }, 'a', ['type: unknown type']],
    [{ id: 'a', type: 'HELLO' }, 'a', ['type: unknown type']],
    [{ id: 'a', type: '_REQUEST' }, 'a', ['type: unknown type']],
    [{ id: 'a', type: '__proto__' }, 'a', ['type: unknown type']],
    [{ id: 'a', type: 'constructor' }, 'a', ['type: unknown type']],
    [{ id: 'a', type: 'conn_keep_alive_request' }, 'a', ['type: unknown type']],
    [{ type: 'HELLO' }, '', ['id: is required', 'type: unknown type']],
  ])('%j keeps a usable id and is told why', (frame, id, faults) => {
    expect(decode(frame)).toEqual({ kind: 'bad-frame', id, faults });
  });

  test('is every answer that only the server gives', () => {
    const answers = frameTypes.filter((type) => !type.endsWith('_REQUEST') && !type.includes('_DELIVER_'));
    expect(answers).toHaveLength(17);
    for (const type of answers) {
      expect(request(type, {})).toEqual({
        kind: 'bad-frame',
        id: '1',
        faults: ['type: only the server sends this frame'],
      });
    }
  });

  test('has an id or a type of more than 128 characters, counted as people count', () => {
    const fits = '😀'.repeat(128);
    expect(request('GROUP_LEAVE_REQUEST', leave.payload, fits)).toMatchObject({ kind: 'request', id: fits });
    expect(request('GROUP_LEAVE_REQUEST', leave.payload, `${fits}x`)).toEqual({
      kind: 'bad-frame',
      id: '',
      faults: ['id: must be at most 128 characters'],
    });
    const request128 = `${'X'.repeat(120)}_REQUEST`;
    expect(request(request128, {}).kind).toBe('unknown-request');
    expect(request(`X${request128}`, {})).toEqual({
      kind: 'bad-frame',
      id: '1',
      faults: ['type: must be at most 128 characters'],
    });
  });
});
