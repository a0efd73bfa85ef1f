/** Unique constraints that two honest transactions can meet on. The rerun finds what the other one wrote. */
const contendedConstraints = new Set([
  'message_sender_id_request_id_key',
  'request_pkey',
  'user_sid_key',
  'group_direct_key_open_key',
  'group_member_pkey',
  'verification_challenge_pkey',
]);

const deadlockDetected = '40P01';
const serializationFailure = '40001';
const uniqueViolation = '23505';
const prismaWriteConflict = 'P2034';

const lockNotAvailable = '55P03';
const queryCanceled = '57014';

/** Raised by `within_deadline`. */
const deadlinePassed = 'HG001';

/** Whether a statement came behind its deadline: nothing of it was kept, and it must not be made again. */
export function isDeadlineError(error: unknown): boolean {
  return causes(error).some(({ code }) => code === deadlinePassed);
}

/** Whether a statement found a row locked for longer than the session's `lock_timeout`: nothing of it was kept. */
export function isLockTimeout(error: unknown): boolean {
  return causes(error).some(({ code }) => code === lockNotAvailable);
}

/** Whether the server ended a statement at its timeout: nothing of it was kept. */
export function isStatementTimeout(error: unknown): boolean {
  return causes(error).some(({ code }) => code === queryCanceled);
}

/** Whether a standby cancelled a statement because what it had to replay could not wait: it is well all the same. */
export function isRecoveryConflict(error: unknown): boolean {
  return causes(error).some(({ code }) => code === serializationFailure || code === deadlockDetected);
}

/** Whether the same call, made again, can be expected to succeed: nothing of it was committed. */
export function isRerunnable(error: unknown): boolean {
  return causes(error).some(({ code, constraint }) =>
    code === uniqueViolation
      ? contendedConstraints.has(String(constraint))
      : code === deadlockDetected || code === serializationFailure || code === prismaWriteConflict,
  );
}

/**
 * SQLSTATEs, as prefixes, that say something of the database, or of the way to it, and nothing of the request.
 *
 * - 08 connection (a pooler's own errors are 08P01), 28 and 3D not let in, 53 resources, 57 operator intervention
 *   (57014 is the statement timeout, 57P01 a shutdown), 58 system, 55P03 lock timeout.
 * - 25 transaction state: 25006 is a read-only database, 25P03 and 25P04 are session timeouts. Our statements are
 *   transactions of their own, so no request can cause one.
 * - 42, 3F and 0A: a table, column, function or right is missing, or a cached plan does not fit any more. The
 *   statements are constants, so the database has not the migrations of this release, or has later ones.
 * - 26: a prepared statement is missing, because a pooler gave the connection of another client (42P05: it is there
 *   already).
 */
const infrastructureStates = ['08', '0A', '25', '26', '28', '3D', '3F', '42', '53', '55P03', '57', '58'];

/** Of the operating system, and of Prisma: not reachable, timed out, closed, pool exhausted, table or column missing. */
const infrastructureCodes = new Set([
  ...'ECONNREFUSED ECONNRESET ECONNABORTED EPIPE ETIMEDOUT ENOTFOUND EAI_AGAIN EHOSTUNREACH ENETUNREACH ENOENT'.split(
    ' ',
  ),
  ...'P1000 P1001 P1002 P1003 P1008 P1010 P1011 P1017 P2021 P2022 P2024 P2037'.split(' '),
]);

/** What node-postgres and its pool say without a code. */
const infrastructureMessages =
  /^(Connection terminated|Query read timeout|timeout exceeded when trying to connect|timeout expired|Client (has encountered a connection error|was closed)|Cannot use a pool after calling end|The server does not support SSL|The database system is)/;

/**
 * Whether the database or the way to it failed, not the request. Never a reason to make a request a dead letter, and it
 * does not say whether the statement was committed.
 */
export function isInfrastructureError(error: unknown): boolean {
  return causes(error).some(
    ({ code, message }) =>
      (code !== undefined &&
        (infrastructureCodes.has(code) ||
          (/^[0-9A-Z]{5}$/.test(code) && infrastructureStates.some((state) => code.startsWith(state))))) ||
      infrastructureMessages.test(message ?? ''),
  );
}

type Cause = {
  code?: string;
  originalCode?: string;
  constraint?: unknown;
  message?: string;
  cause?: unknown;
  meta?: { driverAdapterError?: unknown };
};

/** An error and what it wraps. Prisma keeps the adapter's error in `meta`, and that one its driver's as `cause`. */
function causes(error: unknown): Cause[] {
  const found: Cause[] = [];
  let at = error;
  while (typeof at === 'object' && at !== null && found.length < 8) {
    const { code, originalCode, constraint, message, cause, meta } = at as Cause;
    const one: Cause = { constraint };
    const known = originalCode ?? code;
    if (typeof known === 'string') one.code = known;
    if (typeof message === 'string') one.message = message;
    found.push(one);
    at = cause ?? meta?.driverAdapterError;
  }
  return found;
}
