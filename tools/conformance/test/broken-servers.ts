import { randomUUID } from 'node:crypto';
import { isUuid } from '@hooligram/protocol';
import type { Faults, ProxiedConnection } from '@hooligram/testkit/proxies';

/** A frame on its way, whose payload may hold anything. */
type Frame = { id: string; type: string; payload: Record<string, unknown> };

const memories = new WeakMap<ProxiedConnection, Map<string, unknown>>();

/** What a broken server remembers of one connection. */
function memoryOf(connection: ProxiedConnection): Map<string, unknown> {
  const memory = memories.get(connection) ?? new Map<string, unknown>();
  memories.set(connection, memory);
  return memory;
}

const isMessage = ({ type }: Frame) => type === 'MESSAGING_DELIVER_REQUEST';
const isState = ({ type }: Frame) => type === 'GROUP_DELIVER_REQUEST';

/** Changes frames of one type on their way to the client. */
function toClient(type: string, change: (frame: Frame) => Partial<Frame>): Faults {
  return {
    fromServer: (frame, connection) =>
      connection.toClient(frame.type === type ? { ...frame, ...change(frame) } : frame),
  };
}

/** Changes frames of one type on their way to the server. */
function toServer(type: string, change: (frame: Frame) => Partial<Frame>): Faults {
  return {
    fromClient: (frame, connection) =>
      connection.toServer(frame.type === type ? { ...frame, ...change(frame) } : frame),
  };
}

const withPayload = (change: (payload: Frame['payload']) => Frame['payload']) => (frame: Frame) => ({
  payload: { ...frame.payload, ...change(frame.payload) },
});

/** Passes each frame to a client but those to swallow. */
function swallowing(isSwallowed: (frame: Frame, connection: ProxiedConnection) => boolean): Faults {
  return { fromServer: (frame, connection) => isSwallowed(frame, connection) || connection.toClient(frame) };
}

function count(connection: ProxiedConnection, what: string): number {
  const next = ((memoryOf(connection).get(what) as number | undefined) ?? 0) + 1;
  memoryOf(connection).set(what, next);
  return next;
}

let connectionOfMessages: ProxiedConnection | undefined;
const groupsSentTo = new Map<unknown, ProxiedConnection>();
const tokensByNumber = new Map<unknown, unknown>();
const messagesSentOnce = new Set<unknown>();

/** Each breaks one rule. The names are those of the checks that must find it. */
export const brokenServers: [what: string, checks: string[], faults: Faults][] = [
  [
    'acknowledges by the id of the frame',
    ['acknowledgement/never-by-frame-id'],
    toServer('MESSAGING_DELIVER_SUCCESS', ({ id, payload }) => {
      const [, , messageId] = /^m\.(\d+)\.(\d+)$/.exec(id) ?? [];
      return { payload: messageId ? { message_id: Number(messageId) } : payload };
    }),
  ],
  [
    'takes a FAILURE for an acknowledgement',
    ['acknowledgement/failure-marks-nothing'],
    toServer('MESSAGING_DELIVER_FAILURE', ({ id }) => ({
      type: 'MESSAGING_DELIVER_SUCCESS',
      payload: { message_id: Number(id.split('.')[2]) },
    })),
  ],
  [
    'forgets acknowledgements',
    ['acknowledgement/ends-delivery', 'acknowledgement/any-connection'],
    {
      fromClient: (frame, connection) =>
        frame.type === 'MESSAGING_DELIVER_SUCCESS' || connection.toServer(frame),
    },
  ],
  [
    'answers acknowledgements',
    ['acknowledgement/no-answer'],
    {
      fromClient: (frame, connection) => {
        connection.toServer(frame);
        if (frame.type.endsWith('_DELIVER_SUCCESS'))
          connection.toClient({ ...frame, type: 'CONN_KEEP_ALIVE_SUCCESS', payload: {} });
      },
    },
  ],
  [
    'takes a malformed acknowledgement',
    ['acknowledgement/malformed'],
    toServer('MESSAGING_DELIVER_SUCCESS', ({ payload }) => ({
      payload: { message_id: Number(payload.message_id) || 1 },
    })),
  ],
  [
    'drops one delivery of many',
    ['messaging-send/order'],
    swallowing((frame, connection) => isMessage(frame) && count(connection, 'messages') === 20),
  ],
  [
    'delivers to one connection of a person only',
    ['replay/every-connection'],
    {
      fromServer: (frame, connection) => {
        if (isMessage(frame)) connectionOfMessages ??= connection;
        if (!isMessage(frame) || connectionOfMessages === connection) connection.toClient(frame);
      },
    },
  ],
  [
    'does not deliver to the sender',
    ['messaging-send/everybody'],
    {
      fromClient: (frame, connection) => {
        if (frame.type === 'MESSAGING_SEND_REQUEST') memoryOf(connection).set('sends', true);
        connection.toServer(frame);
      },
      fromServer: (frame, connection) =>
        (isMessage(frame) && memoryOf(connection).has('sends')) || connection.toClient(frame),
    },
  ],
  [
    'answers SUCCESS before it has stored anything, and does not store it',
    ['messaging-send/committed', 'messaging-send/everybody'],
    {
      fromClient: (frame, connection) => {
        if (frame.type !== 'MESSAGING_SEND_REQUEST') return connection.toServer(frame);
        connection.toClient({ id: frame.id, type: 'MESSAGING_SEND_SUCCESS', payload: { message_id: 1 } });
      },
    },
  ],
  [
    'trims content',
    ['messaging-send/exact-content'],
    toServer(
      'MESSAGING_SEND_REQUEST',
      withPayload(({ content }) => ({
        content: typeof content === 'string' ? content.trim() || 'x' : content,
      })),
    ),
  ],
  [
    'normalises content',
    ['messaging-send/exact-content'],
    toClient(
      'MESSAGING_DELIVER_REQUEST',
      withPayload(({ content }) => ({ content: String(content).normalize('NFC') })),
    ),
  ],
  [
    'takes lone surrogates and puts something else in their place',
    ['messaging-send/refused-content'],
    toServer(
      'MESSAGING_SEND_REQUEST',
      withPayload(({ content }) => ({ content: Buffer.from(String(content)).toString() })),
    ),
  ],
  [
    'delivers out of order',
    ['messaging-send/order', 'messaging-send/one-order'],
    {
      fromServer: (frame, connection) => {
        if (!isMessage(frame)) return connection.toClient(frame);
        const held = memoryOf(connection).get('held') as Frame | undefined;
        if (held || count(connection, 'messages') !== 10) connection.toClient(frame);
        else memoryOf(connection).set('held', frame);
        if (held) connection.toClient(held);
        if (held) memoryOf(connection).delete('held');
      },
    },
  ],
  [
    'numbers messages in each group by themselves',
    ['messaging-send/unique-ids'],
    toClient(
      'MESSAGING_SEND_SUCCESS',
      withPayload(() => ({ message_id: 1 })),
    ),
  ],
  [
    'takes any digits for a country code',
    ['numbers/assigned', 'numbers/one-telephone'],
    {
      fromClient: ({ type, payload, ...frame }, connection) => {
        // What the server behind would refuse is put under a code that it takes.
        const text = JSON.stringify(payload)
          .replace(/"country_code":"[0-9]{1,3}"/, '"country_code":"888"')
          .replace(/"[0-9]{1,3}\.([0-9]{4,})"/g, '"888.$1"');
        connection.toServer({ ...frame, type, payload: JSON.parse(text) });
      },
    },
  ],
  [
    'knows only the country codes of countries',
    ['numbers/assigned'],
    {
      fromClient: (frame, connection) => {
        const { country_code } = frame.payload;
        if (country_code !== '878') return connection.toServer(frame);
        const errors = ['payload.country_code: must be an assigned country code'];
        connection.toClient({
          id: frame.id,
          type: frame.type.replace('REQUEST', 'FAILURE'),
          payload: { errors },
        });
      },
    },
  ],
  [
    'does not sort member_sids',
    ['group-deliver/sorted'],
    toClient(
      'GROUP_DELIVER_REQUEST',
      withPayload(({ member_sids }) => ({ member_sids: [...(member_sids as string[])].reverse() })),
    ),
  ],
  [
    'sorts member_sids as numbers',
    ['group-deliver/sorted'],
    toClient(
      'GROUP_DELIVER_REQUEST',
      withPayload(({ member_sids }) => {
        const digits = (sid: string) => Number(sid.replace('.', ''));
        return { member_sids: [...(member_sids as string[])].sort((a, b) => digits(a) - digits(b)) };
      }),
    ),
  ],
  [
    'takes the time of the delivery for date_created',
    ['group-deliver/constant'],
    toClient(
      'GROUP_DELIVER_REQUEST',
      withPayload(() => ({ date_created: new Date().toISOString() })),
    ),
  ],
  [
    'calls every group of two a direct message',
    ['group-leave/told'],
    toClient(
      'GROUP_DELIVER_REQUEST',
      withPayload(({ member_sids }) => ({ is_direct_message: (member_sids as string[]).length === 2 })),
    ),
  ],
  [
    'makes a new direct message each time',
    ['group-create/one-direct-message'],
    {
      fromServer: (frame, connection) => {
        const payload = { group_id: 1_000_000 + count(connection, 'groups') };
        connection.toClient(frame.type === 'GROUP_CREATE_SUCCESS' ? { ...frame, payload } : frame);
      },
    },
  ],
  [
    'tells who left of what comes after',
    ['group-leave/nothing-more'],
    {
      fromServer: (frame, connection) => {
        connection.toClient(frame);
        if (isMessage(frame)) connection.toOthers(frame);
      },
    },
  ],
  [
    'gives a new member the older messages',
    ['group-add-member/from-then-on'],
    {
      fromServer: (frame, connection) => {
        connection.toClient(frame);
        if (isMessage(frame)) connection.toOthers(frame);
      },
    },
  ],
  [
    'tells nobody of a closed group',
    ['group-closing/told', 'group-closing/told-later'],
    swallowing((frame) => isState(frame) && (frame.payload.member_sids as string[]).length === 1),
  ],
  [
    'sends a group to one connection only, and not at the next sign-in',
    ['replay/every-group', 'replay/first-sign-in', 'mobile-client/returns'],
    swallowing((frame, connection) => {
      const { group_id } = frame.payload;
      if (!isState(frame)) return false;
      if (!groupsSentTo.has(group_id)) groupsSentTo.set(group_id, connection);
      return groupsSentTo.get(group_id) !== connection;
    }),
  ],
  [
    'sends groups before the SUCCESS of the sign-in',
    ['replay/every-group'],
    {
      fromServer: (frame, connection) => {
        if (frame.type !== 'AUTHORIZATION_SIGN_IN_SUCCESS') return connection.toClient(frame);
        setTimeout(() => connection.toClient(frame), 100);
      },
    },
  ],
  [
    'forgets the UUIDs that it has seen',
    ['repetition/message', 'repetition/group', 'repetition/other-payload'],
    {
      fromClient: (frame, connection) => {
        if (!isUuid(frame.id)) return connection.toServer(frame);
        const fresh = randomUUID();
        memoryOf(connection).set(fresh, frame.id);
        connection.toServer({ ...frame, id: fresh });
      },
      fromServer: (frame, connection) =>
        connection.toClient({ ...frame, id: (memoryOf(connection).get(frame.id) as string) ?? frame.id }),
    },
  ],
  [
    'takes every id for one that must not be used again',
    ['repetition/counted-ids'],
    {
      fromClient: (frame, connection) => {
        if (frame.type === 'MESSAGING_SEND_REQUEST' && memoryOf(connection).has(frame.id)) {
          return connection.toClient(memoryOf(connection).get(frame.id) as Frame);
        }
        connection.toServer(frame);
      },
      fromServer: (frame, connection) => {
        if (frame.type === 'MESSAGING_SEND_SUCCESS') memoryOf(connection).set(frame.id, frame);
        connection.toClient(frame);
      },
    },
  ],
  [
    'lets an empty code match',
    ['authorization-sign-in/needs-credential', 'verification-submit-code/wrong-and-empty'],
    {
      fromClient: (frame, connection) => {
        const { verification_code } = frame.payload;
        connection.toServer(
          verification_code === ''
            ? { ...frame, payload: { ...frame.payload, verification_code: '000000' } }
            : frame,
        );
      },
    },
  ],
  [
    'takes who only asked for a code for somebody who signed up',
    ['verification-request-code/registers-nobody', 'group-add-member/exists'],
    toClient('GROUP_ADD_MEMBER_FAILURE', () => ({ type: 'GROUP_ADD_MEMBER_SUCCESS', payload: {} })),
  ],
  [
    'signs in who submits a code',
    ['verification-submit-code/does-not-sign-in'],
    toClient('GROUP_LEAVE_FAILURE', () => ({ payload: { errors: ['not a member of the group'] } })),
  ],
  [
    'tells the faults of a request before the sign-in',
    ['authorization-sign-in/not-signed-in'],
    {
      fromClient: (frame, connection) => {
        const { group_id }: Frame['payload'] = frame.payload;
        if (frame.type !== 'GROUP_LEAVE_REQUEST' || group_id !== 'x') return connection.toServer(frame);
        connection.toClient({
          id: frame.id,
          type: 'GROUP_LEAVE_FAILURE',
          payload: { errors: ['payload.group_id: must be an integer'] },
        });
      },
    },
  ],
  [
    'refuses properties that it does not know',
    ['frames/unknown-properties'],
    {
      fromClient: (frame, connection) => {
        if (!('more' in frame.payload)) return connection.toServer(frame);
        connection.toClient({
          id: frame.id,
          type: frame.type.replace('REQUEST', 'FAILURE'),
          payload: { errors: ['more: unknown'] },
        });
      },
    },
  ],
  ['ignores binary messages', ['frames/binary', 'sizes/taken'], { fromClientRaw: (_, isBinary) => isBinary }],
  [
    'answers with an id of its own',
    ['frames/ids'],
    toClient('CONN_KEEP_ALIVE_SUCCESS', () => ({ id: 'mine' })),
  ],
  [
    'cuts the id of an answer',
    ['frames/ids'],
    toClient('CONN_KEEP_ALIVE_SUCCESS', ({ id }) => ({ id: id.slice(0, 64) })),
  ],
  [
    'sends a message_id that is a text',
    ['messaging-send/everybody'],
    toClient(
      'MESSAGING_SEND_SUCCESS',
      withPayload(({ message_id }) => ({ message_id: `${message_id}` })),
    ),
  ],
  [
    'tells one fault of many',
    ['bad-input/faults'],
    toClient(
      'MESSAGING_SEND_FAILURE',
      withPayload(({ errors }) => ({ errors: (errors as string[]).slice(0, 1) })),
    ),
  ],
  [
    'says nothing to what is no JSON',
    ['bad-input/bad-frames'],
    { fromClientRaw: (text) => text === 'hello' },
  ],
  [
    'answers frames that a client sends back',
    ['bad-input/ignored', 'mobile-client/chats', 'mobile-client/returns'],
    {
      fromClient: (frame, connection) => {
        const { id = '', type } = frame;
        if (!/_DELIVER_REQUEST$/.test(type)) return connection.toServer(frame);
        connection.toClient({
          id,
          type: type.replace('REQUEST', 'FAILURE'),
          payload: { errors: ['not yours'] },
        });
      },
    },
  ],
  [
    'answers types that it does not know',
    ['bad-input/ignored', 'mobile-client/chats', 'mobile-client/ignored'],
    {
      fromClient: (frame, connection) => {
        const { id = '', type } = frame;
        if (!/^(GO_TO|HELLO)/.test(type)) return connection.toServer(frame);
        connection.toClient({
          id: String(id),
          type: 'CONN_FRAME_FAILURE',
          payload: { errors: ['type: unknown type'] },
        });
      },
    },
  ],
  [
    'says nothing to requests that it does not know',
    ['bad-input/unknown-requests', 'bad-frames/others-do-not-count'],
    {
      fromClient: (frame, connection) =>
        frame.type === 'FOO_REQUEST' || frame.type.startsWith('X') || connection.toServer(frame),
    },
  ],
  [
    'counts what it ignores as bad frames',
    ['mobile-client/chats', 'mobile-client/ignored'],
    {
      fromClient: (frame, connection) => {
        const isIgnored = /^GO_TO|_DELIVER_REQUEST$|_SUCCESS$/.test(frame.type);
        if (isIgnored && count(connection, 'ignored') >= 60) connection.close(1008);
        else connection.toServer(frame);
      },
    },
  ],
  [
    'counts requests that fail as bad frames',
    ['bad-frames/others-do-not-count'],
    {
      fromServer: (frame, connection) => {
        connection.toClient(frame);
        if (frame.type.endsWith('_FAILURE') && count(connection, 'failures') >= 100) connection.close(1008);
      },
    },
  ],
  [
    'closes at the first bad frame',
    ['bad-input/bad-frames', 'bad-frames/closed'],
    {
      fromClientRaw: (text, _, connection) => {
        const isBad = !text.startsWith('{');
        if (isBad) connection.close(1008);
        return isBad;
      },
    },
  ],
  [
    'never tires of bad frames',
    ['bad-frames/closed'],
    {
      fromClientRaw: (text, _, connection) => {
        if (text !== 'bad') return false;
        connection.toClient({
          id: '',
          type: 'CONN_FRAME_FAILURE',
          payload: { errors: ['frame: must be JSON'] },
        });
        return true;
      },
    },
  ],
  [
    'cuts the connection for a large frame',
    ['sizes/refused'],
    { onClose: (code, reason) => (code === 1009 ? [1006, ''] : [code, reason]) },
  ],
  ['gives no reason for a close', ['sizes/refused', 'bad-frames/closed'], { onClose: (code) => [code, ''] }],
  [
    'sends no token',
    ['verification-submit-code/token'],
    toClient('VERIFICATION_SUBMIT_CODE_SUCCESS', () => ({ payload: {} })),
  ],
  [
    'leaves the code good beside its token',
    ['verification-submit-code/token-voids-code'],
    toServer('AUTHORIZATION_SIGN_IN_REQUEST', ({ payload }) => {
      const { phone_number: number, verification_code: given } = payload;
      // The token takes the place of the code on the way, as if both were good for ever.
      if (String(given).length > 10) tokensByNumber.set(number, given);
      return { payload: { ...payload, verification_code: tokensByNumber.get(number) ?? given } };
    }),
  ],
  [
    'leaves the sessions of an old credential open',
    ['verification-submit-code/ends-sessions'],
    { onClose: (code, reason) => (code === 4401 ? [1012, reason] : [code, reason]) },
  ],
  [
    'does not answer keep-alive',
    ['conn-keep-alive/before-sign-in'],
    swallowing(({ type }) => type === 'CONN_KEEP_ALIVE_SUCCESS'),
  ],
  [
    'gives every delivery the same id',
    ['messaging-deliver/ids', 'group-deliver/ids'],
    {
      fromServer: (frame, connection) =>
        connection.toClient(frame.type.endsWith('_DELIVER_REQUEST') ? { ...frame, id: 'd' } : frame),
    },
  ],
  [
    'sends a message once and never again',
    ['messaging-deliver/again-at-sign-in', 'messaging-deliver/every-connection-replays'],
    swallowing((frame, connection) => {
      const { message_id } = frame.payload;
      if (!isMessage(frame) || memoryOf(connection).has(`had ${message_id}`)) return false;
      memoryOf(connection).set(`had ${message_id}`, true);
      return messagesSentOnce.has(message_id) || !messagesSentOnce.add(message_id);
    }),
  ],
];
