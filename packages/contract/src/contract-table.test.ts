import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import {
  type ContractMessage,
  contractVersion,
  contractVersions,
  jobTable,
  nodeCallTable,
  otherTable,
  publicationTable,
  requestTable,
} from './contract-table.ts';
import { replayOf } from './jobs.ts';
import { readLevel } from './levels.ts';
import { readNodeCall, readNodeReply } from './node-calls.ts';
import { decodePublication, readRedeliveryAcknowledged } from './publications.ts';
import { readAnswers, readRequest } from './request-shapes.ts';
import type { RequestType } from './requests.ts';
import { UnreadableError } from './shape.ts';
import { readStopping } from './stopping.ts';

/** Every message, by what it is called in a digest. */
const messages: [name: string, message: ContractMessage][] = [
  ...Object.entries(otherTable),
  ...Object.entries(requestTable).flatMap(([type, { params, answer }]): typeof messages => [
    [`request ${type}`, params],
    [`answer ${type}`, answer],
  ]),
  ...Object.entries(publicationTable).map(([tag, message]): (typeof messages)[number] => [
    `publication ${tag}`,
    message,
  ]),
  ...Object.entries(jobTable).map(([name, message]): (typeof messages)[number] => [`job ${name}`, message]),
  ...Object.entries(nodeCallTable).flatMap(([type, { params, reply }]): typeof messages => [
    [`call ${type}`, params],
    [`reply ${type}`, reply],
  ]),
];

/** @returns the digest of the names of all messages and fields that this version has */
function digestOf(version: number): string {
  const lines = messages
    .filter(([, { since }]) => since <= version)
    .map(([name, { required, optional = {} }]) => {
      const may = Object.entries(optional).filter(([, [since]]) => since <= version);
      return [name, ...Object.keys(required).sort(), '?', ...may.map(([field]) => field).sort()].join(' ');
    });
  return createHash('sha256').update(lines.sort().join('\n')).digest('hex').slice(0, 16);
}

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
const further = { for_a_newer_release: { whatever: [1] } };

/** How this release reads each message of the table. */
function readers(): [name: string, message: ContractMessage, isRead: (body: object) => boolean][] {
  const isReadable = (read: () => unknown) => {
    try {
      return read() !== undefined;
    } catch (error) {
      if (error instanceof UnreadableError) return false;
      throw error;
    }
  };
  const others = otherTable as Readonly<Record<keyof typeof otherTable, ContractMessage>>;
  const readAnswer = (body: object) => readAnswers(bytes([body]), () => undefined).unreadable === 0;
  return [
    ['request', others.request, (body) => readRequest(body).is === 'request'],
    ['answer', others.answer, readAnswer],
    ['refusal', others.refusal, readAnswer],
    [
      'redelivery acknowledged',
      others['redelivery acknowledged'],
      (body) => isReadable(() => readRedeliveryAcknowledged(bytes(body))),
    ],
    [
      'stopping',
      others.stopping,
      (body) => readStopping(bytes({ type: 'STOPPING', params: body })) !== undefined,
    ],
    ['level', others.level, (body) => isReadable(() => readLevel(bytes(body)))],
    ...Object.entries(requestTable).flatMap(
      ([type, { params, answer }]): ReturnType<typeof readers> => [
        [
          `request ${type}`,
          params,
          (body) =>
            readRequest({ ref: 1, request_id: 'id', type, params: body, ...further }).is === 'request',
        ],
        [
          `answer ${type}`,
          answer,
          (body) =>
            readAnswers(bytes([{ ref: 1, ok: true, answer: body, ...further }]), () => type as RequestType)
              .unreadable === 0,
        ],
      ],
    ),
    ...Object.entries(publicationTable).map(([tag, message]): ReturnType<typeof readers>[number] => [
      `publication ${tag}`,
      message,
      (body) => isReadable(() => decodePublication(Buffer.from(`${tag}\n${JSON.stringify(body)}`))),
    ]),
    ...Object.entries(nodeCallTable).flatMap(
      ([type, { params, reply }]): ReturnType<typeof readers> => [
        [
          `call ${type}`,
          params,
          (body) =>
            isReadable(() =>
              readNodeCall(bytes({ type, node: null, token: 't', reply_to: 'c', params: body, ...further })),
            ),
        ],
        [
          `reply ${type}`,
          reply,
          (body) =>
            isReadable(() =>
              readNodeReply(bytes({ type, node: 'n', role: 'core', token: 't', body, ...further })),
            ),
        ],
      ],
    ),
  ];
}

const samplesOf = ({ optional = {} }: ContractMessage) =>
  Object.fromEntries(Object.entries(optional).map(([field, [, sample]]) => [field, sample]));
const without = (body: object, field: string) =>
  Object.fromEntries(Object.entries(body).filter(([name]) => name !== field));

test.each(readers())(
  '%s is read with and without its optional fields, and what is unknown is ignored',
  (_, message, isRead) => {
    const whole = { ...message.required, ...samplesOf(message) };
    expect(isRead(message.required)).toBe(true);
    expect(isRead(whole)).toBe(true);
    expect(isRead({ ...whole, ...further })).toBe(true);
    for (const field of Object.keys(samplesOf(message))) {
      expect([field, isRead(without(whole, field))]).toEqual([field, true]);
      // The table names no field that nobody reads.
      expect([field, isRead({ ...whole, [field]: { not: 'this' } })]).toEqual([field, false]);
    }
    for (const field of Object.keys(message.required))
      expect([field, isRead(without(whole, field))]).toEqual([field, false]);
  },
);

test('what no release before this one knows is told from what nobody has written', () => {
  expect(readRequest({ ref: 1, request_id: 'id', type: 'TOMORROW', params: 7 })).toMatchObject({
    is: 'unknown',
  });
  expect(decodePublication(Buffer.from('z\n{'))).toBeUndefined();
  expect(
    readNodeCall(bytes({ type: 'FREEZE', node: null, token: 't', reply_to: 'c', params: 7 })),
  ).toBeUndefined();
});

test('a dead letter of a job with further fields runs again', () => {
  expect(replayOf('delivery-check', { ...jobTable['delivery-check'].required, ...further })).toBeDefined();
  expect(replayOf('redelivery', { ...jobTable.redelivery.required, ...further })).toBeDefined();
  expect(replayOf('sweep', further)).toBeDefined();
});

test('no version that was released has changed: what is added has a version of its own', () => {
  const now = contractVersions.map(({ version }) => ({ version, digest: digestOf(version) }));
  expect(now).toEqual(contractVersions);
  expect(contractVersions.map(({ version }) => version)).toEqual(contractVersions.map((_, at) => at + 1));
});

test('everything in the table came with a version that exists, and fields not before their message', () => {
  for (const [name, { since, optional = {} }] of messages) {
    const sinces = Object.values(optional).map(([version]) => version);
    const all = [since, ...sinces];
    expect([name, Math.min(...all) === since, Math.max(...all) <= contractVersion]).toEqual([
      name,
      true,
      true,
    ]);
  }
});
