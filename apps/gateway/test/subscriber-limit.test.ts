import { connectRedis } from '@hooligram/bus';
import { encodeFrame, messageDeliveryId } from '@hooligram/protocol';
import { type OwnRedis, ownRedis, silentLog } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ReceivedRequest } from './fake-core.ts';
import { eventually, Fixture, metric } from './fixture.ts';

const mebibyte = 1_024 * 1_024;
/** What Redis lets a subscriber leave unread, beyond the few MiB that lie in the buffers of the machine. */
const limitBytes = 4 * mebibyte;
const groupsCount = 150;
/** In each group one page, of four messages of nearly the largest frame. All pages together have 35 MiB. */
const missed = 4;
const content = 'x'.repeat(60 * 1_024);

let redis: OwnRedis;
let fixture: Fixture;
let admin: Awaited<ReturnType<typeof connectRedis>>;

beforeAll(async () => {
  redis = await ownRedis();
  admin = await connectRedis(redis.url, { role: 'command', name: 'admin', log: silentLog });
  await admin.config('SET', 'client-output-buffer-limit', `pubsub ${limitBytes} 0 0`);
  fixture = await Fixture.startOn(redis.url);
});

afterAll(async () => {
  await fixture?.stop();
  admin?.disconnect();
  await redis?.stop();
});

type Page = ReceivedRequest<'REPLAY_PAGE'>;

/** The connections on which gateways subscribe, by ids that no later ones have. */
async function subscribers(): Promise<string[]> {
  const lines = String(await admin.call('CLIENT', 'LIST', 'TYPE', 'pubsub')).split('\n');
  return lines.filter((line) => line.includes('gateway-subscriber-')).map((line) => line.split(' ')[0] ?? '');
}

/** A gateway that has missed a page of each of many groups, and has asked for as many as its credit lets it. */
async function behind(creditBytes: number) {
  const before = await subscribers();
  await fixture.addGatewayOn(redis.url, {
    ANSWER_CREDIT_BYTES: String(creditBytes),
    REQUEST_DEADLINE_MS: '120000',
    REQUEST_REPEAT_MS: '130000',
    REQUEST_PATIENCE_MS: '300000',
  });
  const index = fixture.system.gateways.length - 1;
  const gateway = fixture.system.gateway(index);
  const [subscriber = ''] = (await subscribers()).filter((id) => !before.includes(id));
  const user = fixture.user();
  const groups = Array.from({ length: groupsCount }, () => fixture.group([user]));
  const reader = await fixture.connectAs(user, groups, index);
  const byId = new Map(groups.map((group) => [group.id, group]));
  const asked = () =>
    fixture.core.received.filter(
      (request): request is Page =>
        request.type === 'REPLAY_PAGE' && byId.has((request as Page).params.group_id),
    );
  for (const group of groups) {
    group.storeMany(missed);
    await fixture.core.publish.message(group.store());
  }
  await eventually(
    async () => asked().length + (await metric(gateway, 'gateway_answer_credit_waiting')) === groupsCount,
    'each page has been asked for, or waits',
  );
  const pageOf = (params: Page['params']) => {
    const page = byId.get(params.group_id)?.page(params, missed);
    if (!page) throw new Error(`no group ${params.group_id}`);
    const messages = page.messages.map(([seq, message_id]) => {
      const id = messageDeliveryId(params.group_id, message_id);
      const payload = {
        content,
        date_created: page.state.date_created,
        group_id: params.group_id,
        message_id,
        sender_sid: user.sid,
      };
      return [seq, message_id, encodeFrame('MESSAGING_DELIVER_REQUEST', id, payload)] as const;
    });
    return { ...page, messages };
  };
  return { gateway, groups, reader, subscriber, asked, pageOf };
}

test('a gateway that reads nothing for a while, and has asked for more than Redis lets it leave unread, is cut off', async () => {
  const { gateway, subscriber, asked, pageOf } = await behind(1_024 * mebibyte);
  expect(asked()).toHaveLength(groupsCount);
  gateway.freeze();
  await Promise.all(asked().map((request) => request.succeed(pageOf(request.params))));
  await eventually(async () => !(await subscribers()).includes(subscriber), 'the subscriber is cut off');
  await gateway.end();
});

test('one that has asked for no more than its credit is not, and gets all of it', async () => {
  const { gateway, groups, reader, subscriber, asked, pageOf } = await behind(mebibyte);
  expect(asked().length).toBeLessThanOrEqual(4);
  gateway.freeze();
  await Promise.all(asked().map((request) => request.succeed(pageOf(request.params))));
  expect(await subscribers()).toContain(subscriber);
  fixture.core.always('REPLAY_PAGE', pageOf);
  gateway.resume();
  for (const group of groups) await reader.has(group, missed + 1);
  expect(await subscribers()).toContain(subscriber);
});
