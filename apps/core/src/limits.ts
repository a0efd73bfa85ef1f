import { createHmac } from 'node:crypto';
import { networkOf } from './limits/address.ts';
import type { LimitsConfig } from './limits/config.ts';
import { createLimitFactory, type LimitOptions } from './limits/limit.ts';

export { type LimitsConfig, limitsConfig } from './limits/config.ts';

/** Who asks: for which number, and from which IP address (empty if unknown: then it is not limited by address). */
interface Asker {
  readonly sid: string;
  readonly address: string;
}

/**
 * What protects a public system from senders of thousands of texts and from guessers of codes. An outage of the
 * limits must not become one of the chat: while Redis does not answer, or not in time, each core goes by what it
 * has let pass itself. So n cores together pass at most n times a limit, and one core never more than one. A core
 * that starts knows of nothing that passed before.
 */
export interface Limits {
  /** Whether this code request may go on; counts it. */
  codeRequest(asker: Asker): Promise<boolean>;
  /** Whether there were not too many wrong codes from this address. */
  submitAllowed(asker: Asker): Promise<boolean>;
  submitFailed(asker: Asker): Promise<void>;
  /**
   * Whether this sign-in may be tried. If so it counts as failed for its number from now on, because thousands
   * of guesses can be under way at once: each must be followed by `signInFailed` or `signInSucceeded`.
   */
  signInAllowed(asker: Asker): Promise<boolean>;
  signInFailed(asker: Asker): Promise<void>;
  /** Takes back what `signInAllowed` counted. Also for a sign-in that could not be decided. */
  signInSucceeded(asker: Asker): Promise<void>;
}

const unlimited: Limits = {
  codeRequest: async () => true,
  submitAllowed: async () => true,
  submitFailed: async () => {},
  signInAllowed: async () => true,
  signInFailed: async () => {},
  signInSucceeded: async () => {},
};

export function createLimits(
  config: LimitsConfig & { readonly CREDENTIAL_KEY: string },
  options: LimitOptions,
): Limits {
  if (!config.LIMITS_ENABLED) return unlimited;
  const limit = createLimitFactory(options);
  const codes = {
    perNumber: limit('code_number', config.LIMIT_CODE_REQUESTS_PER_NUMBER),
    perAddress: limit('code_address', config.LIMIT_CODE_REQUESTS_PER_ADDRESS),
  };
  const submits = { perAddress: limit('submit_address', config.LIMIT_SUBMIT_FAILURES_PER_ADDRESS) };
  const signIns = {
    perAddress: limit('sign_in_address', config.LIMIT_SIGN_IN_FAILURES_PER_ADDRESS),
    perPair: limit('sign_in_pair', config.LIMIT_SIGN_IN_FAILURES_PER_ADDRESS_AND_NUMBER),
    perNumber: limit('sign_in_number', config.LIMIT_SIGN_IN_FAILURES_PER_NUMBER),
  };

  // Numbers and addresses are personal: what is kept for a while has them only as keyed hashes.
  const hashed = (...parts: string[]) =>
    createHmac('sha256', config.CREDENTIAL_KEY)
      .update(['limit', ...parts].join('\0'))
      .digest('base64url')
      .slice(0, 22);
  const number = ({ sid }: Asker) => hashed(sid);
  const address = ({ address }: Asker) => hashed(networkOf(address));
  const pair = ({ sid, address }: Asker) => hashed(sid, networkOf(address));

  return {
    async codeRequest(asker) {
      // The address first: a sender that is shut out already must not use up other people's codes.
      if (asker.address && !(await codes.perAddress.take(address(asker)))) return false;
      return codes.perNumber.take(number(asker));
    },

    submitAllowed: async (asker) => !asker.address || submits.perAddress.hasLeft(address(asker)),
    async submitFailed(asker) {
      if (asker.address) await submits.perAddress.lose(address(asker));
    },

    // Many people can share an address and come back all at once, so for an address only what has failed counts.
    // Per number the attempts under way count too. The number comes last: a guesser that is shut out already
    // must not shut out its owner.
    async signInAllowed(asker) {
      if (asker.address) {
        const allowed = await Promise.all([
          signIns.perAddress.hasLeft(address(asker)),
          signIns.perPair.take(pair(asker)),
        ]);
        if (allowed.includes(false)) return false;
      }
      return signIns.perNumber.take(number(asker));
    },
    async signInFailed(asker) {
      if (asker.address) await signIns.perAddress.lose(address(asker));
    },
    async signInSucceeded(asker) {
      const settled = [signIns.perNumber.giveBack(number(asker))];
      if (asker.address) settled.push(signIns.perPair.giveBack(pair(asker)));
      await Promise.all(settled);
    },
  };
}
