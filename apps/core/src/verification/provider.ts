/** Digits only. */
export type Recipient = {
  readonly countryCode: string;
  readonly phoneNumber: string;
};

/**
 * - `refused`: this number cannot get a code, and another attempt will not help
 * - `tooMany`: the provider's own limit for this number; later
 * - `unavailable`: the provider did not answer, or not in a way that we understand; the code may have been sent
 */
export type Sent = { ok: true } | { ok: false; reason: 'refused' | 'tooMany' | 'unavailable' };

/** `expired`: there is no code to compare with (too old, or used); a new one must be requested. */
export type CodeChecked = 'right' | 'wrong' | 'expired' | 'tooMany' | 'unavailable';

/** `expired`: the provider knows nothing of the code any more. */
export type Reported = 'reported' | 'expired' | 'unavailable';

/** Brings codes to phones. Nothing here throws or rejects: a failure is returned as a reason. */
export type VerificationProvider = {
  readonly name: 'fixed' | 'log' | 'twilio';
  /** The code that the user will have to submit, made before it is sent; null if the provider makes and checks it. */
  createCode(): string | null;
  /**
   * Sends at most once: a failure is not tried again here.
   *
   * @param code what `createCode` returned
   * @param timeoutMs after it, or the provider's own timeout if that is shorter, the result is `unavailable`; with 0 or
   *   less, a provider that takes time is not called
   */
  send(to: Recipient, code: string | null, timeoutMs: number): Promise<Sent>;
  /**
   * Only called when `createCode` returned null. The check uses a right code up: after `unavailable` the result for the
   * same code may be `expired`.
   */
  check(to: Recipient, code: string, timeoutMs: number): Promise<CodeChecked>;
  /**
   * Tells a provider that has to know it that a code which `createCode` made was submitted rightly. Nothing depends on
   * it here: nobody waits for it, and it is not tried again.
   */
  reportConverted?(to: Recipient): Promise<Reported>;
};
