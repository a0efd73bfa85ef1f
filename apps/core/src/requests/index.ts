import type { RequestType } from '@hooligram/contract';
import { authorizationSignInHandler } from './authorization-sign-in.ts';
import { cursorRaiseHandler } from './cursor-raise.ts';
import { groupAddMemberHandler } from './group-add-member.ts';
import { groupCreateHandler } from './group-create.ts';
import { groupHeadsHandler } from './group-heads.ts';
import { groupIdsHandler } from './group-ids.ts';
import { groupLeaveHandler } from './group-leave.ts';
import { groupStatesHandler } from './group-states.ts';
import type { Handler } from './handler.ts';
import { messageLookupHandler } from './message-lookup.ts';
import { messagingSendHandler } from './messaging-send.ts';
import { overdueReportHandler } from './overdue-report.ts';
import { replayGroupsHandler } from './replay-groups.ts';
import { replayPageHandler } from './replay-page.ts';
import { verificationRequestCodeHandler } from './verification-request-code.ts';
import { verificationSubmitCodeHandler } from './verification-submit-code.ts';

/** Every type of request that a gateway can send, and its handler. */
const handlers: { readonly [K in RequestType]: Handler<K> } = {
  VERIFICATION_REQUEST_CODE: verificationRequestCodeHandler,
  VERIFICATION_SUBMIT_CODE: verificationSubmitCodeHandler,
  AUTHORIZATION_SIGN_IN: authorizationSignInHandler,
  GROUP_CREATE: groupCreateHandler,
  GROUP_ADD_MEMBER: groupAddMemberHandler,
  GROUP_LEAVE: groupLeaveHandler,
  MESSAGING_SEND: messagingSendHandler,
  REPLAY_GROUPS: replayGroupsHandler,
  GROUP_STATES: groupStatesHandler,
  GROUP_HEADS: groupHeadsHandler,
  REPLAY_PAGE: replayPageHandler,
  MESSAGE_LOOKUP: messageLookupHandler,
  GROUP_IDS: groupIdsHandler,
  OVERDUE_REPORT: overdueReportHandler,
  CURSOR_RAISE: cursorRaiseHandler,
};

export const requestTypes = Object.keys(handlers) as RequestType[];

export function handlerOf<K extends RequestType>(type: K): Handler<K> {
  return handlers[type];
}
