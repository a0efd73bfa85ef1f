import type { z } from 'zod';
import {
  content,
  countryCode,
  date,
  errors,
  flag,
  groupName,
  idNumber,
  mark,
  payload,
  phoneNumber,
  senderSid,
  sid,
  sids,
  token,
  verificationCode,
  withNumberLength,
} from './fields.ts';

/** One transaction: a request, and the SUCCESS or FAILURE that the other side answers with the same `id`. */
export type Transaction = {
  /** Who sends the request. */
  readonly sender: 'client' | 'server';
  /** Whether a client's request is refused, whatever else is wrong with it, before the connection signed in. */
  readonly needsSignIn: boolean;
  readonly REQUEST: z.ZodType;
  readonly SUCCESS: z.ZodType;
  readonly FAILURE: z.ZodType;
};

const nothing = payload({});

/** A client that asks with it is answered when the states of all groups were sent; no other client sees this property. */
const keepAlive = payload({ after_groups: mark });

/** The payload of every FAILURE but keep-alive's, and of `CONN_FRAME_FAILURE`. */
export const failurePayload = payload({ errors });

/** The protocol. Types, validation, encoding, and the check of the document all come from this table. */
export const transactions = {
  VERIFICATION_REQUEST_CODE: {
    sender: 'client',
    needsSignIn: false,
    REQUEST: withNumberLength(payload({ country_code: countryCode, phone_number: phoneNumber })),
    SUCCESS: nothing,
    FAILURE: failurePayload,
  },
  VERIFICATION_SUBMIT_CODE: {
    sender: 'client',
    needsSignIn: false,
    REQUEST: payload({ verification_code: verificationCode }),
    SUCCESS: payload({ token }),
    FAILURE: failurePayload,
  },
  AUTHORIZATION_SIGN_IN: {
    sender: 'client',
    needsSignIn: false,
    REQUEST: withNumberLength(
      payload({ country_code: countryCode, phone_number: phoneNumber, verification_code: verificationCode }),
    ),
    SUCCESS: nothing,
    FAILURE: failurePayload,
  },
  GROUP_CREATE: {
    sender: 'client',
    needsSignIn: true,
    REQUEST: payload({ group_name: groupName, member_sids: sids }),
    SUCCESS: payload({ group_id: idNumber }),
    FAILURE: failurePayload,
  },
  GROUP_LEAVE: {
    sender: 'client',
    needsSignIn: true,
    REQUEST: payload({ group_id: idNumber }),
    SUCCESS: nothing,
    FAILURE: failurePayload,
  },
  GROUP_ADD_MEMBER: {
    sender: 'client',
    needsSignIn: true,
    REQUEST: payload({ group_id: idNumber, member_sid: sid }),
    SUCCESS: nothing,
    FAILURE: failurePayload,
  },
  GROUP_DELIVER: {
    sender: 'server',
    needsSignIn: true,
    REQUEST: payload({
      date_created: date,
      group_id: idNumber,
      group_name: groupName,
      is_direct_message: flag,
      member_sids: sids,
    }),
    SUCCESS: payload({ group_id: idNumber }),
    FAILURE: failurePayload,
  },
  MESSAGING_SEND: {
    sender: 'client',
    needsSignIn: true,
    REQUEST: payload({ group_id: idNumber, content }),
    SUCCESS: payload({ message_id: idNumber }),
    FAILURE: failurePayload,
  },
  MESSAGING_DELIVER: {
    sender: 'server',
    needsSignIn: true,
    REQUEST: payload({
      content,
      date_created: date,
      group_id: idNumber,
      message_id: idNumber,
      sender_sid: senderSid,
    }),
    SUCCESS: payload({ message_id: idNumber }),
    FAILURE: failurePayload,
  },
  CONN_KEEP_ALIVE: {
    sender: 'client',
    needsSignIn: false,
    REQUEST: keepAlive,
    SUCCESS: keepAlive,
    FAILURE: nothing,
  },
} as const satisfies Record<string, Transaction>;
