import { faultTexts, idCharactersMax } from '@hooligram/protocol';
import type { ReceivedFrame } from '@hooligram/protocol-client';
import type { Checks } from '../check.ts';
import type { Client } from '../client.ts';
import { expectEqual, shown } from '../failure.ts';

const encoder = new TextEncoder();
const integer = `payload.group_id: ${faultTexts.notAnInteger}`;
const tooLongId = `id: must be at most ${idCharactersMax} characters`;

/** What is wrong with the payload of a request, and which errors the answer must have. */
const faultyRequests: [type: string, payload: string, errors: string[]][] = [
  ['GROUP_LEAVE', '{}', [`payload.group_id: ${faultTexts.missing}`]],
  ['GROUP_LEAVE', '{"group_id":"1"}', [integer]],
  ['GROUP_LEAVE', '{"group_id":1.5}', [integer]],
  ['GROUP_LEAVE', '{"group_id":null}', [integer]],
  ['GROUP_LEAVE', '{"group_id":0}', [`payload.group_id: ${faultTexts.integerNotPositive}`]],
  ['GROUP_LEAVE', '{"group_id":9007199254740992}', [`payload.group_id: ${faultTexts.integerTooLarge}`]],
  ['GROUP_LEAVE', '[]', [`payload: ${faultTexts.notAnObject}`]],
  ['GROUP_LEAVE', 'null', [`payload: ${faultTexts.notAnObject}`]],
  ['MESSAGING_SEND', '{"group_id":"x","content":""}', [integer, `payload.content: ${faultTexts.empty}`]],
  ['MESSAGING_SEND', '{"group_id":1,"content":5}', [`payload.content: ${faultTexts.notAString}`]],
  [
    'GROUP_ADD_MEMBER',
    '{"group_id":1,"member_sid":"15550100"}',
    [`payload.member_sid: ${faultTexts.notASid}`],
  ],
  [
    'GROUP_CREATE',
    '{"group_name":1,"member_sids":["1.5550100",5,"1.555"]}',
    [
      `payload.group_name: ${faultTexts.notAString}`,
      `payload.member_sids[1]: ${faultTexts.notASid}`,
      `payload.member_sids[2]: ${faultTexts.notASid}`,
    ],
  ],
  ['GROUP_CREATE', '{"group_name":"x","member_sids":{}}', [`payload.member_sids: ${faultTexts.notAList}`]],
  [
    'VERIFICATION_REQUEST_CODE',
    '{"country_code":1}',
    [`payload.country_code: ${faultTexts.notAString}`, `payload.phone_number: ${faultTexts.missing}`],
  ],
  [
    'VERIFICATION_SUBMIT_CODE',
    '{"verification_code":123456}',
    [`payload.verification_code: ${faultTexts.notAString}`],
  ],
  ['CONN_KEEP_ALIVE', '[]', []],
];

/** What can get no answer of its own, the id of the CONN_FRAME_FAILURE, and its errors. */
const badFrames: [frame: string, id: string, errors: string[]][] = [
  ['hello', '', ['frame: must be JSON']],
  ['', '', ['frame: must be JSON']],
  ['{"id":"1"', '', ['frame: must be JSON']],
  ['[]', '', ['frame: must be a JSON object']],
  ['null', '', ['frame: must be a JSON object']],
  ['"x"', '', ['frame: must be a JSON object']],
  ['{"type":"CONN_KEEP_ALIVE_REQUEST","payload":{}}', '', [`id: ${faultTexts.missing}`]],
  ['{"id":1,"type":"CONN_KEEP_ALIVE_REQUEST","payload":{}}', '', [`id: ${faultTexts.notAString}`]],
  [`{"id":"${'x'.repeat(129)}","type":"CONN_KEEP_ALIVE_REQUEST","payload":{}}`, '', [tooLongId]],
  ['{"id":"t1","payload":{}}', 't1', [`type: ${faultTexts.missing}`]],
  ['{"id":"t2","type":7,"payload":{}}', 't2', [`type: ${faultTexts.notAString}`]],
  ['{"id":"t3","type":"","payload":{}}', 't3', [`type: ${faultTexts.empty}`]],
  ['{"type":"MESSAGING_DELIVER_SUCCESS","payload":{"message_id":1}}', '', [`id: ${faultTexts.missing}`]],
];

/** What gets no answer: some clients send it without knowing, because they send back all frames. */
const ignoredTypes = [
  'GROUP_DELIVER_REQUEST',
  'MESSAGING_DELIVER_REQUEST',
  'MESSAGING_SEND_SUCCESS',
  'GROUP_CREATE_FAILURE',
  'CONN_KEEP_ALIVE_SUCCESS',
  'CONN_FRAME_FAILURE',
  'GO_TO_HOME',
  'HELLO',
  'HELLO_SUCCESS',
  'HELLO_FAILURE',
  '__proto__',
];

/** Sends a frame, and compares the next answer with what must come. */
async function tells(
  client: Client,
  data: string | Uint8Array,
  id: string,
  type: string,
  errors: string[],
): Promise<void> {
  const after = client.frames.length;
  client.sendRaw(data);
  const isAnswer = (frame: ReceivedFrame) => /_(FAILURE|SUCCESS)$/.test(frame.type);
  const answer = await client.first(isAnswer, `the answer to ${shown(String(data))}`, after);
  const expected = { id, type, payload: type === 'CONN_KEEP_ALIVE_FAILURE' ? {} : { errors } };
  expectEqual(answer, expected, `answer to ${shown(String(data))}`);
}

export const badInput: Checks = {
  async 'faults: a known request with a bad payload gets its FAILURE with one error for each fault'(fixture) {
    const client = await fixture.signedIn();
    for (const [name, payload, errors] of faultyRequests) {
      const frame = `{"id":"faulty","type":"${name}_REQUEST","payload":${payload}}`;
      await tells(client, frame, 'faulty', `${name}_FAILURE`, errors);
    }
    await tells(client, '{"id":"n","type":"GROUP_LEAVE_REQUEST"}', 'n', 'GROUP_LEAVE_FAILURE', [
      `payload: ${faultTexts.missing}`,
    ]);
    await client.isServed();
  },
  async 'empty-id: an empty id is one of the faults of a request'(fixture) {
    const client = await fixture.signedIn();
    const empty = `id: ${faultTexts.empty}`;
    const { group_id } = await fixture.group(client);
    const send = { id: '', type: 'MESSAGING_SEND_REQUEST', payload: { group_id, content: 'x' } };
    await tells(client, JSON.stringify(send), '', 'MESSAGING_SEND_FAILURE', [empty]);
    const leave = '{"id":"","type":"GROUP_LEAVE_REQUEST","payload":{"group_id":"x"}}';
    await tells(client, leave, '', 'GROUP_LEAVE_FAILURE', [empty, integer]);
    await client.message(await fixture.send(client, group_id, 'behind it'));
    expectEqual(client.messagesOf(group_id).length, 1, 'messages of the group');
  },
  async 'unknown-requests: an unknown X_REQUEST with a usable id gets X_FAILURE, signed in or not'(fixture) {
    const unknown = ['type: unknown request'];
    for (const client of [await fixture.connect(), await fixture.signedIn()]) {
      for (const name of ['GROUP_EXPLODE', 'X', 'CONN_FRAME', 'X'.repeat(200)]) {
        await tells(
          client,
          `{"id":"u","type":"${name}_REQUEST","payload":{}}`,
          'u',
          `${name}_FAILURE`,
          unknown,
        );
      }
      await client.isServed();
    }
  },
  async 'ignored: what is neither a client’s request nor its acknowledgement gets no answer, with or without an id'(
    fixture,
  ) {
    const client = await fixture.signedIn();
    await client.isServed();
    const after = client.frames.length;
    for (const type of ignoredTypes) {
      for (const id of ['"id":"ignored",', '', '"id":7,'])
        client.sendRaw(`{${id}"type":"${type}","payload":{}}`);
    }
    client.sendRaw('{"type":"GO_TO_ONBOARDING_REQUEST","payload":{}}');
    const isAnswer = ({ id, type }: ReceivedFrame) => id === 'ignored' || /_(SUCCESS|FAILURE)$/.test(type);
    await client.never(isAnswer, 'what is ignored must get no answer', after);
    await client.isServed();
  },
  async 'bad-frames: what can get no answer of its own gets CONN_FRAME_FAILURE, as a text and as a binary message'(
    fixture,
  ) {
    const client = await fixture.connect();
    for (const [frame, id, errors] of badFrames) {
      await tells(client, frame, id, 'CONN_FRAME_FAILURE', errors);
      await tells(client, encoder.encode(frame), id, 'CONN_FRAME_FAILURE', errors);
    }
    const noUtf8 = Uint8Array.from([0x7b, 0xff, 0x7d]);
    await tells(client, noUtf8, '', 'CONN_FRAME_FAILURE', ['frame: must be UTF-8']);
    await client.isServed();
  },
  async 'others: bad input costs neither the connection nor others anything'(fixture) {
    const { ada, bob, group_id } = await fixture.pair();
    for (let count = 0; count < 20; count += 1) ada.sendRaw('['.repeat(1_000));
    for (let count = 0; count < 20; count += 1) ada.send('GROUP_LEAVE_REQUEST', { group_id: `${group_id}` });
    await bob.message(await fixture.send(ada, group_id, 'still here'));
    await ada.message(await fixture.send(bob, group_id, 'I am too'));
  },
};
