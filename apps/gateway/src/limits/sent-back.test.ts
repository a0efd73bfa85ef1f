import { createLog, createMetrics } from '@hooligram/service';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { createGatewayMetrics } from '../metrics.ts';
import { ClientLimits } from './client-limits.ts';
import { gatewayLimitsConfig } from './config.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import { isSentBack } from './sent-back.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);
const padded = (frame: string, bytes: number) =>
  bytesOf(frame.replace('"more":""', `"more":"${'x'.repeat(bytes - frame.length)}"`));

const largeDelivery = padded('{"id":"1","type":"MESSAGING_DELIVER_REQUEST","payload":{"more":""}}', 65_536);
/** Not as `JSON.stringify` writes it, so it has to be parsed. */
const acknowledgement = bytesOf('{"type":"GROUP_DELIVER_SUCCESS","id":"1","payload":{"group_id":1}}');
const keepAlive = bytesOf('{"id":"1","type":"CONN_KEEP_ALIVE_REQUEST","payload":{}}');

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** The default limits, but for acknowledgements: a hundredth of those is as good to count. */
const config = gatewayLimitsConfig.parse({
  LIMIT_ACKNOWLEDGEMENTS_PER_CONNECTION: '200/20',
  LIMIT_ACKNOWLEDGEMENTS_PER_USER: '400/20',
  LIMIT_ACKNOWLEDGEMENTS_PER_ADDRESS: '1000/20',
});

/** Connections within these limits, each signed in. */
function limited() {
  const metrics = createGatewayMetrics(createMetrics({ role: 'gateway' }));
  const log = createLog({ name: 'gateway', destination: { write() {} } });
  const limits = new ClientLimits(config, metrics, log);
  return (userId: number, address = '203.0.113.7'): ConnectionLimits => {
    const connection = limits.open({ address, end() {} });
    connection.signIn(userId);
    return connection;
  };
}

/** Has each connection send so many such frames. @returns how many of all are not ignored */
function send(connections: readonly ConnectionLimits[], frame: Uint8Array, each: number): number {
  const judgements = connections.flatMap((connection) =>
    Array.from({ length: each }, () => connection.judge(frame)),
  );
  expect(judgements.filter((judgement) => judgement === 'refuse' || judgement === 'close')).toEqual([]);
  return judgements.filter((judgement) => judgement !== 'ignore').length;
}

test.each([
  ['deliveries sent back', largeDelivery, 30, 2_097_152 / 65_536],
  ['acknowledgements', acknowledgement, 200, 400],
])(
  'of %s on all connections of a user no more are read than of two, and its requests all the same',
  (...row) => {
    const [, frame, each, most] = row;
    const open = limited();
    const connections = Array.from({ length: 20 }, (_, n) => open(1, `203.0.113.${n}`));
    expect(send(connections, frame, each)).toBe(most);
    expect(connections.map((connection) => connection.judge(keepAlive))).toEqual(Array(20).fill('read'));
    // Nobody else's.
    expect(send([open(2)], frame, 1)).toBe(1);
  },
);

test.each([
  ['deliveries sent back', largeDelivery, 16, 4_194_304 / 65_536],
  // Five use up those of the address, and two of each of the others are free.
  ['acknowledgements', acknowledgement, 200, 1_000 + 45 * 2],
])(
  'of %s on all connections of an address no more are read than of a few, and its requests all the same',
  (...row) => {
    const [, frame, each, most] = row;
    const open = limited();
    const connections = Array.from({ length: 50 }, (_, n) => open(n));
    expect(send(connections, frame, each)).toBe(most);
    expect(connections.map((connection) => connection.judge(keepAlive))).toEqual(Array(50).fill('read'));
    expect(send([open(99, '203.0.113.8')], frame, 1)).toBe(1);
  },
);

test.each([
  '{"id":"1","type":"GROUP_DELIVER_REQUEST","payload":{"more":""}}',
  '{"id":"1","type":"MESSAGING_DELIVER_REQUEST","payload":{"more":""}}',
  '{"id":"1","type":"CONN_FRAME_FAILURE","payload":{"more":""}}',
  '{ "id": "1", "type": "MESSAGING_DELIVER_REQUEST", "payload": {"more":""} }',
  '{"payload":{"more":""},"id":"1","type":"GROUP_DELIVER_REQUEST"}',
])('a large frame of the server that comes back is known, however it is written: %s', (frame) => {
  expect(isSentBack(padded(frame, 1_048_576))).toBe(true);
});

test.each([
  '{"id":"1","type":"MESSAGING_SEND_REQUEST","payload":{"more":"","content":"MESSAGING_DELIVER_REQUEST"}}',
  '{"id":"1","type":"GROUP_DELIVER_SUCCESS","payload":{"more":""}}',
  '{"id":"1","type":"GO_TO_HOME","payload":{"more":""}}',
  '{"type":"MESSAGING_SEND_REQUEST","id":"1","payload":{"more":""}}',
  '{"type":"MESSAGING_SEND_REQUEST","id":"1","payload":{"more":"","content":"\\"GROUP_DELIVER_REQUEST\\""}}',
])('another large frame is none: %s', (frame) => {
  expect(isSentBack(padded(frame, 1_048_576))).toBe(false);
});
