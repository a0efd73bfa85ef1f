import { errorTexts, faultTexts, frameBytesMax } from '@hooligram/protocol';
import type { Checks } from '../check.ts';
import { expectEqual, expectThat } from '../failure.ts';

const contents = [
  ' ',
  '\n',
  '  not trimmed \t\r\n',
  '\u0001\u001f\u007f',
  'cafe\u0301',
  'caf\u00e9',
  '\ufb01 \u212b \u2126',
  '\ufeffbyte order mark\ufffe\uffff\ufffd',
  '\u{1f469}\u200d\u{1f469}\u200d\u{1f467}\u{1f3fd} \u{10ffff}',
  '\u202eright to left\u202c \u05d0\u05d1 \u0627',
  '\u2028\u2029\u00a0\u200b',
  '"\\/\b\f <b>&amp;</b> \' ; DROP TABLE message; -- $x %s \\u0041',
  '{"id":"1","type":"CONN_KEEP_ALIVE_REQUEST","payload":{}}',
  'null',
  '0',
];

export const messagingSend: Checks = {
  async 'everybody: every member, the sender too, is sent a message with its group, sender and date'(
    fixture,
  ) {
    const [ada, bob, eve] = [await fixture.signedIn(), await fixture.signedIn(), await fixture.signedIn()];
    const { group_id } = await fixture.group(ada, bob, eve);
    const message_id = await fixture.send(ada, group_id, 'hello');
    const expected = { content: 'hello', group_id, message_id, sender_sid: ada.sid };
    for (const client of [ada, bob, eve]) {
      const { date_created, ...payload } = (await client.message(message_id)).payload;
      expectEqual(payload, expected, 'payload but its date');
      const age = Math.abs(Date.now() - Date.parse(date_created ?? ''));
      expectThat(age < 86_400_000, `date_created must be about now, not ${date_created}`);
    }
  },
  async 'exact-content: content is delivered exactly as sent: no trimming, no normalising, any Unicode text'(
    fixture,
  ) {
    const { ada, bob, group_id } = await fixture.pair();
    for (const content of contents) {
      const message_id = await fixture.send(ada, group_id, content);
      for (const client of [ada, bob]) {
        expectEqual((await client.message(message_id)).payload.content, content, 'content');
      }
    }
    await bob.close();
    const sent = await fixture.send(ada, group_id, contents.join(''));
    const back = await fixture.signedInAs(bob.user);
    expectEqual((await back.message(sent)).payload.content, contents.join(''), 'content that waited');
  },
  async 'long-content: content that fills a frame of 64 KiB is taken and delivered'(fixture) {
    const { ada, bob, group_id } = await fixture.pair();
    const empty = JSON.stringify({
      id: 'long',
      type: 'MESSAGING_SEND_REQUEST',
      payload: { group_id, content: '' },
    });
    const room = frameBytesMax - empty.length;
    const content = 'é'.repeat(room / 2) + 'x'.repeat(room % 2);
    const message_id = await fixture.send(ada, group_id, content, 'long');
    const delivered = (await bob.message(message_id)).payload.content;
    expectThat(delivered === content, 'the content of 64 KiB must be delivered as it was sent');
  },
  async 'refused-content: empty content, NUL and lone surrogates are refused, and nothing is delivered'(
    fixture,
  ) {
    const { ada, bob, group_id } = await fixture.pair();
    const refused: [content: string, ...faults: string[]][] = [
      ['', faultTexts.empty],
      ['a\0b', faultTexts.holdsNul],
      ['\ud83d', faultTexts.holdsLoneSurrogates],
      ['x\ude00\ud83dx', faultTexts.holdsLoneSurrogates],
      ['\0\ud800', faultTexts.holdsNul, faultTexts.holdsLoneSurrogates],
    ];
    for (const [content, ...faults] of refused) {
      const errors = faults.map((fault) => `payload.content: ${fault}`);
      await ada.refuse('MESSAGING_SEND', { group_id, content }, errors);
    }
    await bob.message(await fixture.send(ada, group_id, 'behind them'));
    expectEqual(bob.contentsOf(group_id), ['behind them'], 'messages');
  },
  async 'member: only a member sends, and nobody learns whether a group exists'(fixture) {
    const [ada, outsider] = [await fixture.signedIn(), await fixture.signedIn()];
    const { group_id } = await fixture.group(ada);
    for (const id of [group_id, 2 ** 53 - 1]) {
      const errors = [errorTexts.notAMember.text];
      await outsider.refuse('MESSAGING_SEND', { group_id: id, content: 'x' }, errors);
    }
  },
  async 'committed: from SUCCESS on a message is delivered, also when its sender is gone at once'(fixture) {
    const { ada, bob, group_id } = await fixture.pair();
    await bob.close();
    const message_id = await fixture.send(ada, group_id, 'goodbye');
    ada.terminate();
    await (await fixture.signedInAs(bob.user)).message(message_id);
  },
  async 'order: messages of one connection keep their order, and message_id grows in it'(fixture) {
    const { ada, bob, group_id } = await fixture.pair();
    const sent = Array.from({ length: 50 }, (_, count) => `number ${count}`);
    const ids = sent.map((content) => ada.send('MESSAGING_SEND_REQUEST', { group_id, content }));
    const answers = await Promise.all(ids.map((id) => ada.answer('MESSAGING_SEND', id)));
    const messageIds = answers.map(({ payload }) => payload.message_id ?? 0);
    expectEqual(
      [...messageIds].sort((a, b) => a - b),
      messageIds,
      'message_ids in the order of sending',
    );
    for (const client of [ada, bob]) {
      await client.message(messageIds.at(-1));
      expectEqual(client.contentsOf(group_id), sent, 'contents in the order of delivery');
      expectEqual(client.idsOf(group_id), messageIds, 'message_ids of the deliveries');
    }
  },
  async 'one-order: a group’s messages reach every connection in one order, in which message_id grows'(
    fixture,
  ) {
    const [ada, bob, eve] = [await fixture.signedIn(), await fixture.signedIn(), await fixture.signedIn()];
    const { group_id } = await fixture.group(ada, bob, eve);
    const asked = [ada, bob].map((client) =>
      Array.from({ length: 25 }, (_, count) => {
        const id = client.send('MESSAGING_SEND_REQUEST', { group_id, content: `number ${count}` });
        return client.answer('MESSAGING_SEND', id);
      }),
    );
    const answers = await Promise.all(asked.flat());
    const ids = answers.map(({ payload }) => payload.message_id ?? 0).sort((a, b) => a - b);
    expectEqual(new Set(ids).size, 50, 'different message_ids');
    for (const client of [ada, bob, eve]) {
      for (const message_id of ids) await client.message(message_id);
      const got = client.idsOf(group_id);
      expectEqual(got, ids, 'message_ids in the order of delivery');
    }
  },
  async 'unique-ids: message_id is unique in the whole system, not in a group'(fixture) {
    const [ada, bob] = [await fixture.signedIn(), await fixture.signedIn()];
    const groups = [await fixture.group(ada), await fixture.group(bob), await fixture.group(ada, bob)];
    const ids: number[] = [];
    for (const { group_id } of [...groups, ...groups]) {
      const sender = group_id === groups[1]?.group_id ? bob : ada;
      ids.push(await fixture.send(sender, group_id, 'x'));
    }
    expectEqual(new Set(ids).size, ids.length, 'different message_ids');
  },
};
