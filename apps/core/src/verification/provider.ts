/** Digits only. */
export interface Recipient {
  readonly countryCode: string;
  readonly phoneNumber: string;
}

/**
 * - `refused`: this number cannot get a code, another attempt will not help
 * - `tooMany`: the provider's own limit for this number; later
 * - `unavailable`: the provider did not answer, or not in a way that we understand; the code may have been sent
 */
export type Sent = { ok: true } | { ok: false; reason: 'refused' | 'tooMany' | 'unavailable' };

/** `expired`: there is no code to compare with any more (too old, or used); a new one must be asked for. */
export type CodeChecked = 'right' | 'wrong' | 'expired' | 'tooMany' | 'unavailable';

/** Brings codes to phones. Nothing here throws or rejects: what goes wrong is a reason. */
export interface VerificationProvider {
  readonly name: 'fixed' | 'log' | 'twilio';
  /** The code that will be asked for, known before anything is sent; null if the provider makes and checks it. */
  createCode(): string | null;
  /**
   * Sends at most once: a failure is not tried again here. `code` is what `createCode` gave. After `timeoutMs`, or
   * the provider's own timeout if that is shorter, it is `unavailable`; with 0 or less, who takes time is not asked.
   */
  send(to: Recipient, code: string | null, timeoutMs: number): Promise<Sent>;
  /**
   * Only called when `createCode` gave null. A right code is used up by the asking: after `unavailable` the same
   * code may turn out as `expired`.
   */
  check(to: Recipient, code: string, timeoutMs: number): Promise<CodeChecked>;
}
