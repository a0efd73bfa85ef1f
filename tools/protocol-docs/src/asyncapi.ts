import {
  closeReasons,
  errorTexts,
  type FrameType,
  faultTexts,
  frameBytesMax,
  frameFailureType,
  type TransactionName,
  transactions,
} from '@hooligram/protocol';
import type { Example } from './examples.ts';
import { frameSchemas } from './frame-schema.ts';
import { frameFailureText, transactionTexts } from './transaction-texts.ts';

type Reference = { readonly $ref: string };

/** The part of AsyncAPI 3 that is used here. */
export type AsyncApiOperation = {
  readonly action: 'send' | 'receive';
  readonly title: string;
  readonly summary: string;
  readonly description?: string;
  readonly channel: Reference;
  readonly messages: readonly Reference[];
  readonly reply?: { readonly channel: Reference; readonly messages: readonly Reference[] };
};
export type AsyncApiDocument = ReturnType<typeof asyncApiDocument>;

const channel = { $ref: '#/channels/v2' };
const messageOf = (type: FrameType): Reference => ({ $ref: `#/channels/v2/messages/${type}` });

/**
 * The protocol as an AsyncAPI 3 document, seen from the server: it receives what clients request, and sends
 * deliveries.
 * @param examples of each type, any number
 */
export function asyncApiDocument(examples: readonly Example[]) {
  const types = [...frameSchemas.keys()];
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Hooligram Protocol V2',
      version: '2.0.0',
      description: [
        'JSON frames over one WebSocket, the same in shape both ways: `id`, `type`, `payload`.',
        'An answer carries the `id` of its request. Unknown properties are ignored, and so are unknown types, except requests.',
        'The server ignores its own frames when a client sends them back.',
        `The server accepts frames of up to ${frameBytesMax} bytes of UTF-8, in text and binary messages alike.`,
        'The whole meaning is in docs/protocol.md; this document is generated from the table that the server uses.',
      ].join('\n'),
      license: { name: 'UNLICENSED' },
      tags: [{ name: 'chat' }],
    },
    defaultContentType: 'application/json',
    servers: {
      local: { host: '127.0.0.1:8080', protocol: 'ws', description: 'What `npm start` runs.' },
      behindTls: {
        host: '{host}',
        protocol: 'wss',
        description: 'Behind a load balancer that ends TLS.',
        variables: { host: { description: 'Name of the load balancer, with its port unless that is 443.' } },
      },
    },
    channels: {
      v2: {
        address: '/v2',
        title: 'The WebSocket',
        description: 'It needs neither a subprotocol nor a header nor a query.',
        messages: Object.fromEntries(types.map((type) => [type, { $ref: `#/components/messages/${type}` }])),
        bindings: { ws: { method: 'GET', bindingVersion: '0.1.0' } },
      },
    },
    operations: operations(),
    components: {
      messages: Object.fromEntries(types.map((type) => [type, message(type, examples)])),
      schemas: Object.fromEntries(frameSchemas),
      correlationIds: {
        id: { description: 'Pairs an answer with its request.', location: '$message.payload#/id' },
      },
    },
    'x-error-texts': Object.values(errorTexts),
    'x-fault-texts': Object.values(faultTexts),
    'x-close-codes': Object.values(closeReasons),
  };
}

function operations(): Record<string, AsyncApiOperation> {
  const names = Object.keys(transactions) as TransactionName[];
  return {
    ...Object.fromEntries(names.map((name) => [name, operation(name)])),
    CONN_FRAME_FAILURE: {
      action: 'send',
      title: frameFailureText.title,
      summary: frameFailureText.text,
      channel,
      messages: [messageOf(frameFailureType)],
    },
  };
}

function operation(name: TransactionName): AsyncApiOperation {
  const { sender, needsSignIn } = transactions[name];
  const { title, text } = transactionTexts[name];
  return {
    action: sender === 'client' ? 'receive' : 'send',
    title,
    summary: text,
    ...(sender === 'client' && needsSignIn
      ? { description: 'Before the sign-in: FAILURE with the one error `not signed in`.' }
      : {}),
    channel,
    messages: [messageOf(`${name}_REQUEST`)],
    reply: { channel, messages: [messageOf(`${name}_SUCCESS`), messageOf(`${name}_FAILURE`)] },
  };
}

function message(type: FrameType, examples: readonly Example[]) {
  return {
    name: type,
    title: type,
    contentType: 'application/json',
    correlationId: { $ref: '#/components/correlationIds/id' },
    payload: { $ref: `#/components/schemas/${type}` },
    examples: examples
      .filter(({ frame }) => frame.type === type)
      .slice(0, 1)
      .map(({ line, frame }) => ({ summary: line, payload: frame })),
  };
}
