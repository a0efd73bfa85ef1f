import { countryCodeSource } from './country-codes.ts';

/**
 * A user's address: `<country_code>.<phone_number>`, ASCII digits only. A country code is an assigned one, a
 * phone number has 4-14 digits, both together at most 15 (the length of an international number in ITU-T E.164).
 */
export const sidPattern = new RegExp(`^(?=.{6,16}$)(?:${countryCodeSource})\\.[0-9]{4,14}$`);
/** Of who wrote a message: a sid, or `0.` and an id where the account was deleted. */
export const senderSidPattern = new RegExp(`^(?=.{6,16}$)(?:${countryCodeSource}|0)\\.[0-9]{4,14}$`);
export const countryCodePattern = new RegExp(`^(?:${countryCodeSource})$`);
export const phoneNumberPattern = /^[0-9]{4,14}$/;

/** What has the form of a sid or of a country code, whether or not the code is assigned. */
const sidForm = /^(?=.{6,16}$)[0-9]{1,3}\.[0-9]{4,14}$/;
const countryCodeForm = /^[0-9]{1,3}$/;

/** Whether a text is a sid such as `1.5550100`. */
export function isSid(text: string): boolean {
  return sidPattern.test(text);
}

/** Whether the only thing wrong with a text that is no sid is that its country code is not assigned. */
export function isSidOfNoCountry(text: unknown): boolean {
  return typeof text === 'string' && sidForm.test(text) && !isSid(text);
}

/** Whether a text would be a country code, were it assigned. */
export function isUnassignedCountryCode(text: unknown): boolean {
  return typeof text === 'string' && countryCodeForm.test(text) && !countryCodePattern.test(text);
}

/** The sid of a number. Checks nothing: both parts come from a validated payload. */
export function sidOf(countryCode: string, phoneNumber: string): string {
  return `${countryCode}.${phoneNumber}`;
}

/**
 * The number of a sid, in the fields of a payload; the inverse of `sidOf`. Checks nothing: of a text that is no sid,
 * one of the two is empty or wrong.
 */
export function phoneOf(sid: string): { country_code: string; phone_number: string } {
  const [country_code = '', phone_number = ''] = sid.split('.');
  return { country_code, phone_number };
}

/**
 * The order of `member_sids` in a delivery: by UTF-16 code unit, so that it is the same on every machine. A
 * locale's collation (`localeCompare`, a database's default) is not.
 */
export function compareByCodeUnit(a: string, b: string): -1 | 0 | 1 {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
