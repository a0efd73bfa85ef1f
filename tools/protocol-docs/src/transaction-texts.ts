import type { TransactionName } from '@hooligram/protocol';

type Text = { readonly title: string; readonly text: string };

/** The effect of each transaction, in a sentence or two; docs/protocol.md has the rest. */
export const transactionTexts = {
  VERIFICATION_REQUEST_CODE: {
    title: 'Request a code',
    text: 'Has a code sent to a phone. Registers no user, and does not change the credential of the number.',
  },
  VERIFICATION_SUBMIT_CODE: {
    title: 'Submit the code',
    text: 'On the connection that requested it. A right code becomes the credential of the number, and ends the sessions of the one before. Its SUCCESS carries a `token`, which is kept in place of the code. Does not sign in.',
  },
  AUTHORIZATION_SIGN_IN: {
    title: 'Sign in',
    text: 'After SUCCESS the server sends every group of the user, then every message not yet acknowledged.',
  },
  GROUP_CREATE: {
    title: 'Create a group',
    text: 'With exactly two distinct users it is a direct message, of which a pair has at most one that is open. A UUID as `id` makes the request safe to repeat.',
  },
  GROUP_LEAVE: {
    title: 'Leave a group',
    text: 'The others are sent the new state. A group with fewer than two members left is closed.',
  },
  GROUP_ADD_MEMBER: {
    title: 'Add a user to a group',
    text: 'All members are sent the new state. The new member gets the messages from then on.',
  },
  GROUP_DELIVER: {
    title: 'Deliver a group',
    text: 'The whole state of a group, new or changed. Acknowledged by `group_id`, never by the `id` of the frame.',
  },
  MESSAGING_SEND: {
    title: 'Send a message',
    text: 'SUCCESS means that the message is committed. From then on every member is sent it until they acknowledge it. A UUID as `id` makes the request safe to repeat.',
  },
  MESSAGING_DELIVER: {
    title: 'Deliver a message',
    text: 'To every member, the sender too. Acknowledged by `message_id`, never by the `id` of the frame. May arrive more than once.',
  },
  CONN_KEEP_ALIVE: {
    title: 'Keep the connection alive',
    text: 'Needs no sign-in. With `after_groups` it is answered when the states of all groups were sent. Its FAILURE alone has no `errors`.',
  },
} as const satisfies Record<TransactionName, Text>;

/** The one type that belongs to no transaction. */
export const frameFailureText = {
  title: 'Refuse a frame',
  text: 'Refuses bytes that are no frame, a request or acknowledgement without a usable `id`, or a malformed acknowledgement. A client that does not know this type may ignore it.',
} as const satisfies Text;
