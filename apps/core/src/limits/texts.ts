import type { LimitsConfig } from './config.ts';
import {
  type Counted,
  consumeAll,
  createLimits,
  giveBackAll,
  type LimitFactory,
  nothingTaken,
  type Refuse,
  type Taken,
} from './limit.ts';
import { createFirstLimit, createNetworkLimit } from './networks.ts';
import type { Familiarity, Keys, Source } from './source.ts';

/**
 * Bounds what texts cost. A text counts until its code was submitted rightly, but for the budgets of a number, of a country
 * code and in all.
 *
 * Who pumps texts to numbers of their own does not submit the codes: networks that never did share a budget of texts that
 * were not. It is spent when fewer than one in five is submitted, and then only networks that did before get texts, and
 * numbers that somebody verified before.
 *
 * Strangers can use up what a number has for everybody, not what it has for the first text of each network. So its owner
 * gets a code in a new place, unless strangers had it texted from as many networks.
 */
export type TextLimits = {
  /**
   * Counts a text before it is sent.
   *
   * @param readFamiliarity only called if it matters
   * @returns how to give that back if it was not sent, or the seconds until it may be
   */
  take(
    source: Source,
    readFamiliarity: () => Promise<Familiarity>,
  ): Promise<Taken | { readonly seconds: number }>;
  /** The code was submitted rightly. */
  converted(source: Source): Promise<void>;
};

export const unlimitedTexts: TextLimits = { take: async () => nothingTaken, converted: async () => {} };

/** A right submission makes up for so many texts of new networks. */
const convertedPoints = 5;

const convertedForSeconds = 90 * 24 * 60 * 60;

export function createTextLimits(
  config: LimitsConfig,
  create: LimitFactory,
  refuse: Refuse,
  keys: Keys,
): TextLimits {
  const number = create('text_number', config.LIMIT_TEXTS_PER_NUMBER);
  const firstLimit = createFirstLimit(create, 'text_first', config.LIMIT_TEXTS_FIRST_OF_NETWORK, keys);
  const reserve = create('text_reserve', config.LIMIT_TEXTS_RESERVE);
  const pairLimits = createLimits(create, 'text_pair', config.LIMIT_TEXTS_PER_NUMBER_AND_SOURCE);
  const networkLimit = createNetworkLimit(create, 'text_source', config.LIMIT_TEXTS_PER_SOURCE);
  const prefix = create('text_prefix', config.LIMIT_TEXTS_PER_PREFIX);
  const countryCode = create('text_country_code', config.LIMIT_TEXTS_PER_COUNTRY_CODE);
  const total = create('text_total', config.LIMIT_TEXTS);
  const unconverted = create('text_unconverted', config.LIMIT_TEXTS_UNCONVERTED);
  /** Networks from which a code was submitted rightly. It refuses nothing. */
  const converts = create('text_converts', { points: 1_000_000, seconds: convertedForSeconds });

  const widest = (source: Source) => keys.networks(source).at(-1) ?? keys.of('unknown');
  const pairs = (source: Source): Counted[] =>
    source.address ? pairLimits.map((limit) => ({ limit, key: keys.pair(source) })) : [];
  const networks = (source: Source): Counted[] => networkLimit(keys.networks(source));
  const ofStrangers = (source: Source): Counted[] => [
    { limit: prefix, key: keys.of('prefix', source.sid.slice(0, -4)) },
    { limit: unconverted, key: 'all' },
  ];
  const inAll = ({ sid }: Source): Counted[] => [
    { limit: countryCode, key: keys.of('country code', sid.split('.')[0] ?? '') },
    { limit: total, key: 'all' },
  ];

  return {
    async take(source, readFamiliarity) {
      const isStranger = (await converts.used(widest(source))) === 0;
      const strangers = isStranger ? ofStrangers(source) : [];
      const shared = [...pairs(source), ...inAll(source)];
      const key = keys.number(source);
      const taken = await consumeAll([...networks(source), ...strangers, ...shared, { limit: number, key }]);
      if (!('seconds' in taken)) return taken;
      const familiarity = await readFamiliarity();
      const first = firstLimit(source);
      const others = [...networks(source), ...(familiarity === 'nobody' ? strangers : []), ...shared];
      // Strangers have used up what is the number's for everybody, or what new networks have together.
      const ofFirst = first ? await consumeAll([...others, ...first]) : taken;
      if (!('seconds' in ofFirst)) return ofFirst;
      if (familiarity !== 'here') return refuse(taken, source.address);
      // Or the source has neighbours who ask for many.
      const reserved = await consumeAll([...shared, { limit: reserve, key }]);
      return 'seconds' in reserved ? refuse(reserved, source.address) : reserved;
    },
    async converted(source) {
      const isFirst = (await converts.used(widest(source))) === 0;
      await converts.penalize(widest(source));
      await giveBackAll(networks(source));
      if (!isFirst) return;
      await prefix.giveBack(keys.of('prefix', source.sid.slice(0, -4)));
      await unconverted.giveBack('all', convertedPoints);
    },
  };
}
