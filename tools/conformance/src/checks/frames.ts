import { phoneOf } from '@hooligram/protocol';
import type { Checks } from '../check.ts';
import { expectEqual } from '../failure.ts';

const encoder = new TextEncoder();

export const frames: Checks = {
  async 'ids: an answer carries the id of its request, any text of 1 to 128 characters'(fixture) {
    const client = await fixture.connect();
    const uuid = '8b0f6d3e-5a1c-4c52-9f0e-2d7a1b3c4d5e';
    const ids = ['x', ' ', '0', 'é😀', '\\"', '__proto__', uuid, '\n', 'x'.repeat(128), '😀'.repeat(128)];
    for (const id of ids) await client.succeed('CONN_KEEP_ALIVE', {}, id);
  },
  async 'unknown-properties: properties that the protocol does not know are ignored, in frames and in payloads'(
    fixture,
  ) {
    const user = await fixture.newUser();
    const client = await fixture.connect();
    const { sid, code } = user;
    await client.succeed('AUTHORIZATION_SIGN_IN', {
      ...phoneOf(sid),
      verification_code: code,
      more: [1],
    });
    client.user = user;
    const { group_id } = await fixture.group(client);
    const payload = { group_id, content: 'x', more: { deep: null }, message_id: 'x' };
    client.sendRaw(
      JSON.stringify({ id: 'm', type: 'MESSAGING_SEND_REQUEST', payload, more: true, errors: 1 }),
    );
    const { payload: answer } = await client.first(({ id }) => id === 'm', 'the answer to m');
    expectEqual((await client.message(answer.message_id)).payload.content, 'x', 'content');
  },
  async 'binary: a binary message of UTF-8 JSON is the same as a text'(fixture) {
    const client = await fixture.signedIn();
    const { group_id } = await fixture.group(client);
    const payload = { group_id, content: 'bytes, é, 😀' };
    client.sendRaw(encoder.encode(JSON.stringify({ id: 'b', type: 'MESSAGING_SEND_REQUEST', payload })));
    const answer = await client.answer('MESSAGING_SEND', 'b');
    const { content } = (await client.message(answer.payload.message_id)).payload;
    expectEqual(content, payload.content, 'content of a message that was sent in a binary frame');
  },
  async 'layout: neither the order of keys nor white space matters'(fixture) {
    const client = await fixture.connect();
    client.sendRaw(' \n{ "payload" : {\t} ,\r\n"type":"CONN_KEEP_ALIVE_REQUEST" , "id":"l" } ');
    await client.answer('CONN_KEEP_ALIVE', 'l');
    client.sendRaw('{"payload":{},"type":"CONN_\\u004bEEP_ALIVE_REQUEST","id":"\\u00e9"}');
    await client.answer('CONN_KEEP_ALIVE', 'é');
  },
};
