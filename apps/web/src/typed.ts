/** What people type and paste, as they mean it. The server takes every text exactly as it is sent. */

/** Show nothing: format characters such as direction marks and joiners, fillers, and the empty Braille pattern. */
const unseen = '\\p{Default_Ignorable_Code_Point}\\p{Cf}\\p{Cc}\\u2800';
const onlyUnseen = new RegExp(`^[\\p{White_Space}${unseen}]*$`, 'u');
/** What may stand around a name without being a part of it. Joiners and selectors are parts of emoji. */
const around =
  '\\p{White_Space}\\p{Cc}\\u00ad\\u061c\\u200b\\u200e\\u200f\\u202a-\\u202e\\u2060\\u2066-\\u2069\\ufeff\\u2800';
const aroundNames = new RegExp(`^[${around}]+|[${around}]+$`, 'gu');
const marks = new RegExp(`[${unseen}\\p{Me}]`, 'gu');
const digitsOfAllScripts = /\p{Nd}/gu;

/** Whether a text shows nothing at all. */
export function showsNothing(text: string): boolean {
  return onlyUnseen.test(text);
}

/** A name without what stands around it and without what no name has: line breaks, halves of characters. */
export function asName(text: string): string {
  const name = text.replace(/[\p{Cc}\p{Cs}]+/gu, ' ').replace(aroundNames, '');
  return showsNothing(name) ? '' : name;
}

/**
 * A number or a code in ASCII: digits of every script, wide and circled forms, all kinds of dashes and spaces. Without
 * what shows nothing.
 */
export function asDigits(text: string): string {
  return text
    .replace(/[\t\n\r]/g, ' ')
    .replace(marks, '')
    .normalize('NFKC')
    .replace(digitsOfAllScripts, digitValue)
    .replace(/[\p{Pd}\u2212\u30fc~]/gu, '-')
    .replace(/[\u00b7\u2022\u2027\u30fb]/g, '.')
    .replace(/\p{White_Space}+/gu, ' ')
    .trim();
}

/** A code without what stands in it for the eye alone. */
export function asCode(text: string): string {
  return asDigits(text).replace(/[\s.-]/g, '');
}

/** As people count, and the server: an emoji of one code point is one. */
export function charactersOf(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** Decimal digits come in runs of ten, from zero to nine, in every script. */
function digitValue(digit: string): string {
  let zero = digit.codePointAt(0) ?? 0;
  const own = zero;
  while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
  return String((own - zero) % 10);
}
