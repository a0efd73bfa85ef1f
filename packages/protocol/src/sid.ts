/**
 * A person's address: `<country_code>.<phone_number>`, ASCII digits only. A country code has 1-3 digits, a
 * phone number 4-14, both together at most 15 (the length of an international number in ITU-T E.164).
 */
export const sidPattern = /^(?=.{6,16}$)[0-9]{1,3}\.[0-9]{4,14}$/;
export const countryCodePattern = /^[0-9]{1,3}$/;
export const phoneNumberPattern = /^[0-9]{4,14}$/;

/** Whether a text is a sid such as `1.5550100`. */
export function isSid(text: string): boolean {
  return sidPattern.test(text);
}

/** The sid of a number. Checks nothing: both parts come from a validated payload. */
export function sidOf(countryCode: string, phoneNumber: string): string {
  return `${countryCode}.${phoneNumber}`;
}

/**
 * The order of `member_sids` in a delivery: by UTF-16 code unit, so that it is the same on every machine. A
 * locale's collation (`localeCompare`, a database's default) is not.
 */
export function compareByCodeUnit(a: string, b: string): -1 | 0 | 1 {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
