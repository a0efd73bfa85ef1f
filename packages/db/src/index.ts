export { cursorRaise } from './cursors/cursor-raise.ts';
export { type OpenCursor, readGroupIds } from './cursors/group-ids.ts';
export { overdueReport, type UserOverdue } from './cursors/overdue-report.ts';
export { readCursors } from './cursors/read-cursors.ts';
export { readChangeFacts } from './groups/change-facts.ts';
export { findAnswers } from './groups/find-answers.ts';
export { findUser } from './groups/find-user.ts';
export { groupFingerprints } from './groups/fingerprint.ts';
export { groupAddMember } from './groups/group-add-member.ts';
export { groupCreate } from './groups/group-create.ts';
export { groupLeave } from './groups/group-leave.ts';
export { type GroupHead, readGroupHeads, readGroupStates } from './groups/group-states.ts';
export { type GroupsAtSignIn, groupsAtSignIn } from './groups/groups-at-sign-in.ts';
export { type Refusable, refuse } from './groups/refuse.ts';
export { type Renamed, renameUsers } from './groups/rename-users.ts';
export { replayGroups } from './groups/replay-groups.ts';
export { findStored } from './messages/find-stored.ts';
export { lockedGroups } from './messages/locked-groups.ts';
export { messageLookup } from './messages/message-lookup.ts';
export { messagingSend } from './messages/messaging-send.ts';
export { type Page, type PageQuestion, replayPages, replicaPages } from './messages/replay-page.ts';
export { type TracedMessage, traceMessage } from './messages/trace-message.ts';
export { migrate } from './migrations/migrate.ts';
export { boundedDb } from './session/bounded-db.ts';
export { createDatabaseCheck } from './session/check-database.ts';
export { beyondStatementMs, type Db, openDb } from './session/db.ts';
export { requireDurableCommits } from './session/durability.ts';
export { beginEpoch, type History } from './session/epoch.ts';
export { type DatabaseFacts, examineDatabase } from './session/examine-database.ts';
export { examineReplica, type ReplicaFacts } from './session/examine-replica.ts';
export {
  type Fit,
  openReplica,
  type ReplicaDb,
  readReplicaState,
  readWalPosition,
  replicaFault,
} from './session/replica.ts';
export { readServerStart } from './session/server-start.ts';
export { inspectSession, type SessionKind } from './session/session.ts';
export { hasOlderTransaction, readClock } from './statements/clock.ts';
export {
  isDeadlineError,
  isInfrastructureError,
  isLockTimeout,
  isRecoveryConflict,
  isRerunnable,
  isStatementTimeout,
} from './statements/errors.ts';
export { deliveryChecks } from './sweep/delivery-checks.ts';
export { setRetriedVersions } from './sweep/set-retried-versions.ts';
export { replicaSweep, type SweepPage, type SweepQuestion, sweepGroups } from './sweep/sweep-groups.ts';
export { beginSweep, moveSweep, readSweepPlace, type SweepPlace } from './sweep/sweep-place.ts';
export type { Pass } from './upkeep/pass.ts';
export { upkeepAnswers } from './upkeep/upkeep-answers.ts';
export { upkeepMessages } from './upkeep/upkeep-messages.ts';
export {
  type ChallengeAnswer,
  type ChallengeOutcome,
  type CodeOutcome,
  readChallengeAnswer,
  readOutcome,
  settleOutcome,
} from './verification/anonymous-request.ts';
export {
  type AcceptedCredential,
  acceptCredentials,
  type Credential,
  countCodeFailures,
  readCredential,
  readCredentials,
} from './verification/authorization-sign-in.ts';
export { beginCheck, endCheck } from './verification/check-challenge.ts';
export { deleteExpiredChallenges } from './verification/delete-expired-challenges.ts';
export { type Challenge, readChallenge } from './verification/read-challenge.ts';
export { readCredentialVersions } from './verification/read-credential-versions.ts';
export { rememberNetwork } from './verification/remember-network.ts';
export { type UserDeletion, userDelete } from './verification/user-delete.ts';
export { verificationRequestCode } from './verification/verification-request-code.ts';
export { type NewCredential, verificationSubmitCode } from './verification/verification-submit-code.ts';
