import { createHmac } from 'node:crypto';
import { networkOf } from './address.ts';
import type { LimitsConfig } from './config.ts';
import { createLimitFactory, type Limit, type LimitOptions } from './limit.ts';

/** Where a request comes from, and for which number. An unknown IP address is empty, and has no limit. */
type Source = {
  readonly sid: string;
  readonly address: string;
};

/**
 * Protects a public system from clients that request thousands of texts, and from clients that guess codes. An outage
 * of the limits must not become one of the chat: while Redis does not answer in time, each core counts for itself. So n
 * cores together allow at most n times a limit, and one core never more than the limit. A core that starts then knows
 * nothing of what was allowed before.
 */
export type Limits = {
  /** Whether this code request may go on; counts it. */
  codeRequest(source: Source): Promise<boolean>;
  /** Whether not too many submissions from this address were refused. */
  submitAllowed(source: Pick<Source, 'address'>): Promise<boolean>;
  submitFailed(source: Pick<Source, 'address'>): Promise<void>;
  /**
   * Whether a sign-in may learn whether its code is right. A wrong code is counted in the same step in which it is
   * allowed: of thousands at once no more than the limit are allowed. A right code counts nothing, and is refused, too,
   * after as many wrong ones: a client that guesses does not learn that it was right.
   */
  signIn(source: Source, isRight: boolean): Promise<boolean>;
};

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

  // Numbers and addresses are personal: Redis has them only as keyed hashes.
  const hashed = (...parts: string[]) =>
    createHmac('sha256', config.CREDENTIAL_KEY)
      .update(['limit', ...parts].join('\0'))
      .digest('base64url')
      .slice(0, 22);
  const number = ({ sid }: Source) => hashed(sid);
  const address = ({ address }: Pick<Source, 'address'>) => hashed(networkOf(address));
  const pair = ({ sid, address }: Source) => hashed(sid, networkOf(address));

  return {
    async codeRequest(source) {
      // The address first: a client that is refused already must not use up the codes of other users.
      if (source.address && !(await codes.perAddress.consume(address(source)))) return false;
      return codes.perNumber.consume(number(source));
    },

    submitAllowed: async (source) => !source.address || submits.perAddress.hasLeft(address(source)),
    async submitFailed(source) {
      if (source.address) await submits.perAddress.penalize(address(source));
    },

    // Many users can share an address, and a user can have many devices that connect all at once, so only failures
    // count. The number comes last: a client that is refused already must not lock the owner of the number out.
    async signIn(source, isRight) {
      const pass = (limit: Limit, key: string) => (isRight ? limit.hasLeft(key) : limit.consume(key));
      if (source.address) {
        const allowed = await Promise.all([
          signIns.perAddress.hasLeft(address(source)),
          pass(signIns.perPair, pair(source)),
        ]);
        if (allowed.includes(false)) return false;
      }
      if (!(await pass(signIns.perNumber, number(source)))) return false;
      if (source.address && !isRight) await signIns.perAddress.penalize(address(source));
      return true;
    },
  };
}
