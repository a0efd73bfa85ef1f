import type { AcknowledgementType, ClientRequestType } from '@hooligram/protocol';
import type { Dispatcher } from '../session.ts';
import { authorizationSignIn } from './authorization-sign-in.ts';
import { connKeepAlive } from './conn-keep-alive.ts';
import { groupAddMember } from './group-add-member.ts';
import { groupCreate } from './group-create.ts';
import { groupDelivered, groupRefused } from './group-deliver.ts';
import { groupLeave } from './group-leave.ts';
import type {
  AcknowledgementHandler,
  FrameHandler,
  SignedInHandler,
  SignedInRequestType,
  SignedInSession,
} from './handler.ts';
import { messageDelivered, messageRefused } from './messaging-deliver.ts';
import { messagingSend } from './messaging-send.ts';
import { verificationRequestCode } from './verification-request-code.ts';
import { verificationSubmitCode } from './verification-submit-code.ts';

/** Every request that a client can make. Before the sign-in a session refuses those that need one. */
const requests = {
  VERIFICATION_REQUEST_CODE_REQUEST: verificationRequestCode,
  VERIFICATION_SUBMIT_CODE_REQUEST: verificationSubmitCode,
  AUTHORIZATION_SIGN_IN_REQUEST: authorizationSignIn,
  GROUP_CREATE_REQUEST: groupCreate,
  GROUP_LEAVE_REQUEST: groupLeave,
  GROUP_ADD_MEMBER_REQUEST: groupAddMember,
  MESSAGING_SEND_REQUEST: messagingSend,
  CONN_KEEP_ALIVE_REQUEST: connKeepAlive,
} satisfies {
  [T in ClientRequestType]: T extends SignedInRequestType ? SignedInHandler<T> : FrameHandler<T>;
};

/** Every answer that a client can give to a delivery. */
const acknowledgements: { [T in AcknowledgementType]: AcknowledgementHandler<T> } = {
  GROUP_DELIVER_SUCCESS: groupDelivered,
  GROUP_DELIVER_FAILURE: groupRefused,
  MESSAGING_DELIVER_SUCCESS: messageDelivered,
  MESSAGING_DELIVER_FAILURE: messageRefused,
};

export const dispatcher: Dispatcher = {
  handleRequest(context, session, frame) {
    const handle = requests[frame.type] as SignedInHandler<ClientRequestType>;
    return handle(context, session as SignedInSession, frame);
  },
  handleAcknowledgement(context, session, frame) {
    const handle = acknowledgements[frame.type] as AcknowledgementHandler<AcknowledgementType>;
    handle(context, session, frame);
  },
  burstMaxOf: ({ config }, type) => (type === 'MESSAGING_SEND_REQUEST' ? config.SESSION_RUN_MAX : 1),
};
