import type {
  Acknowledgement,
  AcknowledgementType,
  ClientRequestType,
  SoundRequest,
} from '@hooligram/protocol';
import type { GatewayContext } from '../context.ts';
import type { Session } from '../session.ts';
import { authorizationSignIn } from './authorization-sign-in.ts';
import { connKeepAlive } from './conn-keep-alive.ts';
import { groupAddMember } from './group-add-member.ts';
import { groupCreate } from './group-create.ts';
import { groupDelivered, groupRefused } from './group-deliver.ts';
import { groupLeave } from './group-leave.ts';
import type { FrameHandler } from './handler.ts';
import { messageDelivered, messageRefused } from './messaging-deliver.ts';
import { messagingSend } from './messaging-send.ts';
import { verificationRequestCode } from './verification-request-code.ts';
import { verificationSubmitCode } from './verification-submit-code.ts';

/** Every request that a client can make. */
const requests = {
  VERIFICATION_REQUEST_CODE_REQUEST: verificationRequestCode,
  VERIFICATION_SUBMIT_CODE_REQUEST: verificationSubmitCode,
  AUTHORIZATION_SIGN_IN_REQUEST: authorizationSignIn,
  GROUP_CREATE_REQUEST: groupCreate,
  GROUP_LEAVE_REQUEST: groupLeave,
  GROUP_ADD_MEMBER_REQUEST: groupAddMember,
  MESSAGING_SEND_REQUEST: messagingSend,
  CONN_KEEP_ALIVE_REQUEST: connKeepAlive,
} satisfies { [T in ClientRequestType]: FrameHandler<T> };

export type AcknowledgementHandlers = {
  [T in AcknowledgementType]: (
    context: GatewayContext,
    session: Session,
    frame: Extract<Acknowledgement, { type: T }>,
  ) => void;
};

/** Every answer that a client can give to a delivery. */
const acknowledgements: AcknowledgementHandlers = {
  GROUP_DELIVER_SUCCESS: groupDelivered,
  GROUP_DELIVER_FAILURE: groupRefused,
  MESSAGING_DELIVER_SUCCESS: messageDelivered,
  MESSAGING_DELIVER_FAILURE: messageRefused,
};

export function answer(context: GatewayContext, session: Session, frame: SoundRequest): Promise<void> | void {
  const handle = requests[frame.type] as FrameHandler<ClientRequestType>;
  return handle(context, session, frame);
}

export function acknowledge(context: GatewayContext, session: Session, frame: Acknowledgement): void {
  const handle = acknowledgements[frame.type] as (
    context: GatewayContext,
    session: Session,
    frame: Acknowledgement,
  ) => void;
  handle(context, session, frame);
}

/** How many requests of a type, sent one behind the other, may be at the core together. */
export function runMaxOf({ config }: GatewayContext, type: ClientRequestType): number {
  return type === 'MESSAGING_SEND_REQUEST' ? config.SESSION_RUN_MAX : 1;
}
