import { createHmac } from 'node:crypto';
import { networkOf } from './address.ts';
import type { LimitsConfig } from './config.ts';
import { createLimitFactory, type Limit, type LimitOptions } from './limit.ts';

export { type LimitsConfig, limitsConfig } from './config.ts';

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
  /** Whether not too many submissions from this address were refused. */
  submitAllowed(asker: Pick<Asker, 'address'>): Promise<boolean>;
  submitFailed(asker: Pick<Asker, 'address'>): Promise<void>;
  /**
   * Whether a sign-in may be told what its code was: right or wrong. A wrong one is counted in the same step as it is
   * allowed, so of thousands at once no more than the limit are told. A right one counts nothing, and is refused behind
   * as many wrong ones: whoever guesses does not learn that it was right.
   */
  signIn(asker: Asker, isRight: boolean): Promise<boolean>;
}

const unlimited: Limits = {
  codeRequest: async () => true,
  submitAllowed: async () => true,
  submitFailed: async () => {},
  signIn: async () => true,
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
  const address = ({ address }: Pick<Asker, 'address'>) => hashed(networkOf(address));
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

    // Many people can share an address, and one person can have many devices that come back all at once, so only what
    // has failed counts. The number comes last: a guesser that is shut out already must not shut out its owner.
    async signIn(asker, isRight) {
      const pass = (limit: Limit, key: string) => (isRight ? limit.hasLeft(key) : limit.take(key));
      if (asker.address) {
        const allowed = await Promise.all([
          signIns.perAddress.hasLeft(address(asker)),
          pass(signIns.perPair, pair(asker)),
        ]);
        if (allowed.includes(false)) return false;
      }
      if (!(await pass(signIns.perNumber, number(asker)))) return false;
      if (asker.address && !isRight) await signIns.perAddress.lose(address(asker));
      return true;
    },
  };
}
