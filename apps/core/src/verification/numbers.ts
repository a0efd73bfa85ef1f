import { setImmediate } from 'node:timers/promises';
import { type Db, readCredentials } from '@hooligram/db';
import { countryCodeOf, faultTexts, isSid, mustBeWritten, sidOf } from '@hooligram/protocol';
import { type NumberType, type PhoneNumber, parsePhoneNumberFromString } from 'libphonenumber-js/max';

/** `assigned`: every number of an assigned country code. `possible`, `valid`: by libphonenumber's rules. */
export type NumberRule = 'assigned' | 'possible' | 'valid';

/** What is wrong with a number, and the right writing of the same telephone, if it has one. */
export type NumberFault = { readonly text: string; readonly writtenAs?: string };

/** One check takes about 15 microseconds; after so many, other requests get their tick. */
const checkedTogether = 200;

/** Which numbers may become users. A user that exists stays reachable, whatever the rule is. */
export type Numbers = {
  /** @param sid of an assigned country code: the protocol refuses others */
  faultOf(sid: string): NumberFault | undefined;
  /**
   * Whether a code is sent to the number: its country code is allowed, and it is none that costs whoever calls or texts it
   * more than others do.
   */
  takesTexts(sid: string): boolean;
  /** The faults of the numbers that are no users yet, by sid. */
  faultsOfUnknown(db: Db, sids: readonly string[]): Promise<ReadonlyMap<string, NumberFault>>;
};

/**
 * Under `possible` and `valid` a telephone has one writing: the digits of its international number. With the national
 * prefix, `44.07700900123` dials the same telephone as `44.7700900123`, and must not become a second user. It is refused
 * with the right writing, not rewritten: clients compare the sids of deliveries with their own.
 *
 * @param countryCodes to which codes are sent; none: to all
 */
export function createNumbers(rule: NumberRule, countryCodes: readonly string[] = []): Numbers {
  const faultOf = (sid: string) => (rule === 'assigned' ? undefined : check(sid, rule));
  return {
    faultOf,
    takesTexts(sid) {
      const [code = '', digits = ''] = sid.split('.');
      if (countryCodes.length > 0 && !countryCodes.includes(code)) return false;
      return !costlyTypes.has(parsePhoneNumberFromString(`+${code}${digits}`, { extract: false })?.getType());
    },
    async faultsOfUnknown(db, sids) {
      const faults = new Map<string, NumberFault>();
      for (let from = 0; rule !== 'assigned' && from < sids.length; from += checkedTogether) {
        if (from > 0) await setImmediate();
        for (const sid of sids.slice(from, from + checkedTogether)) {
          const fault = faultOf(sid);
          if (fault) faults.set(sid, fault);
        }
      }
      if (faults.size === 0) return faults;
      for (const known of await readCredentials(db, [...faults.keys()])) if (known) faults.delete(known.sid);
      return faults;
    },
  };
}

const costlyTypes = new Set<NumberType>(['PREMIUM_RATE', 'SHARED_COST', 'PAGER', 'VOICEMAIL']);

function check(sid: string, rule: 'possible' | 'valid'): NumberFault | undefined {
  const [code = '', digits = ''] = sid.split('.');
  const number = read(code, digits);
  if (!number || !fits(number, rule)) return { text: misfits[rule] };
  if (number.nationalNumber === digits) return undefined;
  return { text: mustBeWritten(sidOfNumber(number)), writtenAs: sidOfNumber(number) };
}

const misfits = { possible: faultTexts.numberImpossible, valid: faultTexts.numberInvalid };

function fits(number: PhoneNumber, rule: 'possible' | 'valid'): boolean {
  return rule === 'valid' ? number.isValid() : number.isPossible();
}

function sidOfNumber({ countryCallingCode, nationalNumber }: PhoneNumber): string {
  return sidOf(countryCallingCode, nationalNumber);
}

/** The telephone that is dialled. National prefixes are removed until none is left: each parse removes one. */
function read(code: string, digits: string): PhoneNumber | undefined {
  const number = parsePhoneNumberFromString(`+${code}${digits}`, { extract: false });
  if (!number) return undefined;
  if (number.nationalNumber !== digits) return read(code, number.nationalNumber);
  return number.isPossible() ? number : (withoutOldPrefix(code, digits) ?? number);
}

/** Mexico's mobile numbers had a 1 before them until 2020. Many contacts still do, and libphonenumber rejects them. */
function withoutOldPrefix(code: string, digits: string): PhoneNumber | undefined {
  if (code !== '52' || !digits.startsWith('1')) return undefined;
  const number = parsePhoneNumberFromString(`+52${digits.slice(1)}`, { extract: false });
  return number?.isPossible() ? number : undefined;
}

/**
 * The one writing of a sid of any age: the country code that its digits begin with, without the national prefix where
 * the rule considers it.
 * @returns undefined when no assigned country code begins the digits, or too few follow it
 */
export function canonicalSid(sid: string, rule: NumberRule): string | undefined {
  const digits = sid.replace('.', '');
  const code = countryCodeOf(digits);
  if (code === undefined) return undefined;
  const split = sidOf(code, digits.slice(code.length));
  if (!isSid(split)) return undefined;
  return createNumbers(rule).faultOf(split)?.writtenAs ?? split;
}
