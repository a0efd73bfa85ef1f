import { readTryAgain } from './try-again.ts';

export { readTryAgain };

/** Why a request failed, as its FAILURE says it. */
export type ErrorText = {
  /** What stands in `errors`. Clients may compare it; a change of it is a change of the protocol. */
  readonly text: string;
  /** Whether the same request may succeed later as it is. If not, something else has to happen first. */
  readonly mayRetry: boolean;
};

/**
 * What a well-formed request can fail for. Faults of its form are named field by field instead (`faults.ts`).
 * A user who is no member of a group gets the same answer whether the group exists or not.
 */
export const errorTexts = {
  notSignedIn: { text: 'not signed in', mayRetry: false },
  alreadySignedIn: { text: 'already signed in as somebody else', mayRetry: false },
  wrongCredential: { text: 'wrong phone number or verification code', mayRetry: false },

  noCodeRequested: { text: 'no code was requested on this connection', mayRetry: false },
  codeExpired: { text: 'code has expired', mayRetry: false },
  wrongCode: { text: 'wrong code', mayRetry: false },
  codeNotSent: { text: 'code could not be sent', mayRetry: true },
  codeNotChecked: { text: 'code could not be checked', mayRetry: true },
  tooManyAttempts: { text: 'too many attempts', mayRetry: true },
  tooManyRequests: { text: 'too many requests', mayRetry: true },

  tooManyMessages: { text: 'too many messages', mayRetry: true },
  tooManyGroups: { text: 'too many groups created', mayRetry: true },
  tooManyAdded: { text: 'too many members added', mayRetry: true },
  tooManyUnknown: { text: 'too many numbers that nobody has', mayRetry: true },
  groupFull: { text: 'group would have too many members', mayRetry: false },

  notAMember: { text: 'not a member of the group', mayRetry: false },
  groupClosed: { text: 'group is closed', mayRetry: false },
  directMessageFull: { text: 'a direct message takes no third member', mayRetry: false },
  userUnknown: { text: 'payload.member_sid: nobody has this sid', mayRetry: false },
  tooFewMembers: { text: 'payload.member_sids: must name at least two people', mayRetry: false },
  creatorMissing: { text: 'payload.member_sids: must name the creator', mayRetry: false },
  groupNameEmpty: {
    text: 'payload.group_name: must not be empty except for a direct message',
    mayRetry: false,
  },

  idAlreadyUsed: { text: 'id was already used', mayRetry: false },
  /** The request broke the server, and would again; the server's log says what it was. */
  internalError: { text: 'internal error', mayRetry: false },
  serverBusy: { text: 'server busy', mayRetry: true },
} as const satisfies Record<string, ErrorText>;

export type ErrorCode = keyof typeof errorTexts;

const retryableTexts = new Set<string>(
  Object.values(errorTexts)
    .filter(({ mayRetry }) => mayRetry)
    .map(({ text }) => text),
);

/** Whether a request that failed with these errors may succeed later as it is; a text may end with when (`tryAgainIn`). */
export function mayRetry(errors: readonly string[]): boolean {
  return errors.length > 0 && errors.every((text) => retryableTexts.has(readTryAgain(text).text));
}
