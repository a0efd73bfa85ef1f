import type { RequestKind } from '@hooligram/contract';
import { authorizationSignIn } from './authorization-sign-in.ts';
import { cursorRaise } from './cursor-raise.ts';
import { groupAddMember } from './group-add-member.ts';
import { groupCreate } from './group-create.ts';
import { groupIds } from './group-ids.ts';
import { groupLeave } from './group-leave.ts';
import type { Handler } from './handler.ts';
import { receiptLookup } from './message-lookup.ts';
import { messagingSend } from './messaging-send.ts';
import { lagReport } from './overdue-report.ts';
import { replayGroups } from './replay-groups.ts';
import { replayPage } from './replay-page.ts';
import { verificationRequestCode } from './verification-request-code.ts';
import { verificationSubmitCode } from './verification-submit-code.ts';

/** Everything that a gateway can ask, and who answers it. */
export const handlers = {
  VERIFICATION_REQUEST_CODE: verificationRequestCode,
  VERIFICATION_SUBMIT_CODE: verificationSubmitCode,
  AUTHORIZATION_SIGN_IN: authorizationSignIn,
  GROUP_CREATE: groupCreate,
  GROUP_ADD_MEMBER: groupAddMember,
  GROUP_LEAVE: groupLeave,
  MESSAGING_SEND: messagingSend,
  REPLAY_GROUPS: replayGroups,
  REPLAY_PAGE: replayPage,
  RECEIPT_LOOKUP: receiptLookup,
  GROUP_IDS: groupIds,
  LAG_REPORT: lagReport,
  CURSOR_RAISE: cursorRaise,
} satisfies { [K in RequestKind]: Handler<K> };
