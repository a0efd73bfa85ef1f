/** Where a request comes from, and for which number. */
export type Source = {
  readonly sid: string;
  /** Empty for one that is not known: then only what counts for the number is in force. */
  readonly address: string;
};

/**
 * What is known of a number and where it is asked for: no user has it, somebody verified it once, or it signed in before in
 * the network of the source.
 */
export type Familiarity = 'nobody' | 'user' | 'here';

/** The names under which a source is counted. Numbers and addresses are personal: Redis has them only as keyed hashes. */
export type Keys = {
  number(source: Source): string;
  /** From the narrowest network to the widest; none for an address that is not known. */
  networks(source: Pick<Source, 'address'>): string[];
  /** The number and the narrowest network. */
  pair(source: Source): string;
  /** The number and the widest network; undefined for an address that is not known. */
  widePair(source: Source): string | undefined;
  of(...parts: readonly string[]): string;
};
