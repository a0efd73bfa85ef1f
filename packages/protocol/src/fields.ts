import { z } from 'zod';
import { hasAtMostCharacters } from './characters.ts';
import { groupNameCharactersMax, listFaultsMax, verificationCodeCharactersMax } from './limits.ts';
import {
  countryCodePattern,
  isSid,
  isSidOfNoCountry,
  isUnassignedCountryCode,
  phoneNumberPattern,
  senderSidPattern,
  sidPattern,
} from './sid.ts';

/**
 * The fields of the protocol, one schema each. The texts are what clients read after `payload.<field>: `.
 *
 * A rule that JSON Schema can say is a check that translates (`pattern`, `minLength`), so that a description of
 * the API made with `z.toJSONSchema` says it too. Lengths are counted in code points, which zod does not do and
 * JSON Schema does: those are refinements with their keyword beside them.
 */
export const faultTexts = {
  missing: 'is required',
  notAString: 'must be a string',
  notAnInteger: 'must be an integer',
  integerTooLarge: 'must be an integer below 2^53',
  integerNotPositive: 'must be a positive integer',
  notABoolean: 'must be a boolean',
  notAList: 'must be a list',
  notAnObject: 'must be an object',
  empty: 'must not be empty',
  notASid: 'must be a sid such as 1.5550100',
  sidOfNoCountry: 'must begin with an assigned country code',
  notACountryCode: 'must be 1 to 3 digits',
  codeUnassigned: 'must be an assigned country code',
  notAPhoneNumber: 'must be 4 to 14 digits',
  numberTooLong: 'must have at most 15 digits together with the country code',
  numberImpossible: 'must be a possible number of its country code',
  numberInvalid: 'must be a valid number of its country code',
  holdsNul: 'must not contain NUL',
  holdsLoneSurrogates: 'must not contain lone surrogates',
  notADate: 'must be a date such as 2026-11-22T07:08:57.123Z',
} as const;

/** The number is written in another way than the telephone's: `must be written 44.7700900123`. */
export const mustBeWritten = (rightly: string) => `must be written ${rightly}`;

const tooLong = (max: number) => `must be at most ${max} characters`;

const missingOr = (text: string) => (issue: { input?: unknown }) =>
  issue.input === undefined ? faultTexts.missing : text;

/** Found from the value, not from zod's issue: to zod, 1e400 (Infinity, once parsed) is no number at all. */
function integerFault({ input }: { input?: unknown }): string {
  if (input === undefined) return faultTexts.missing;
  if (typeof input !== 'number') return faultTexts.notAnInteger;
  if (!Number.isInteger(input) && Number.isFinite(input)) return faultTexts.notAnInteger;
  return input > 0 ? faultTexts.integerTooLarge : faultTexts.integerNotPositive;
}

const textField = () => z.string({ error: missingOr(faultTexts.notAString) });

/**
 * A list of texts with one rule. zod's own array takes 25 ms to report the faults of 32,000 elements, which fit
 * into one frame; here they are counted, and only the first `listFaultsMax` become issues.
 * @param element the rule as a schema, for JSON Schema only
 * @param faultOf the same rule as a test: what is wrong with an element, if anything is
 */
function listOf(
  element: z.ZodType<string>,
  faultOf: (element: unknown) => string | undefined,
): z.ZodType<string[], string[]> {
  const { $schema: _, ...items } = z.toJSONSchema(element);
  return z
    .array(z.any(), { error: missingOr(faultTexts.notAList) })
    .check(({ value, issues }) => {
      let faulty = 0;
      value.forEach((input, index) => {
        const message = faultOf(input);
        if (message === undefined) return;
        faulty += 1;
        if (faulty <= listFaultsMax) issues.push({ code: 'custom', input, path: [index], message });
      });
      const unnamed = faulty - listFaultsMax;
      if (unnamed <= 0) return;
      issues.push({ code: 'custom', input: value, message: `has ${unnamed} more faulty elements` });
    })
    .meta({ items });
}

/** Text that the database can keep. Nothing is trimmed or normalised. */
const storableText = () =>
  textField()
    .regex(/^[^\0]*$/, faultTexts.holdsNul)
    .regex(/^\P{Cs}*$/u, faultTexts.holdsLoneSurrogates);

export const idNumber = z
  .int({ error: integerFault, abort: true })
  .positive({ error: faultTexts.integerNotPositive });

export const flag = z.boolean({ error: missingOr(faultTexts.notABoolean) });

const sidFault = (input: unknown) =>
  isSidOfNoCountry(input) ? faultTexts.sidOfNoCountry : faultTexts.notASid;

export const sid = textField().regex(sidPattern, { error: ({ input }) => sidFault(input) });

/** Of a delivery. No client can name the `0.` of a deleted account in a request. */
export const senderSid = textField().regex(senderSidPattern, { error: ({ input }) => sidFault(input) });

export const sids = listOf(sid, (element) =>
  typeof element === 'string' && isSid(element) ? undefined : sidFault(element),
);

export const countryCode = textField().regex(countryCodePattern, {
  error: ({ input }) =>
    isUnassignedCountryCode(input) ? faultTexts.codeUnassigned : faultTexts.notACountryCode,
});

export const phoneNumber = textField().regex(phoneNumberPattern, faultTexts.notAPhoneNumber);

export const verificationCode = textField()
  .min(1, faultTexts.empty)
  .refine(
    (code) => hasAtMostCharacters(code, verificationCodeCharactersMax),
    tooLong(verificationCodeCharactersMax),
  )
  .meta({ maxLength: verificationCodeCharactersMax });

/** Empty is allowed here: whether it will be a direct message depends on the distinct members, which the core knows. */
export const groupName = storableText()
  .refine((name) => hasAtMostCharacters(name, groupNameCharactersMax), tooLong(groupNameCharactersMax))
  .meta({ maxLength: groupNameCharactersMax });

export const content = storableText().min(1, faultTexts.empty);

export const date = z.iso.datetime({ precision: 3, error: missingOr(faultTexts.notADate) });

export const errors = listOf(textField(), (element) =>
  typeof element === 'string' ? undefined : faultTexts.notAString,
);

/**
 * An addition to the protocol: present and true; every other value counts as absent. To refuse another value would
 * break clients that do not know the addition.
 */
export const mark = z.literal(true).optional().catch(undefined);

/** An addition to the protocol: a text that a server may leave out. */
export const token = textField()
  .regex(/^[!-~]{1,64}$/)
  .optional();

/** A payload; unknown properties are dropped, never refused. */
export const payload = <S extends z.core.$ZodShape>(shape: S) =>
  z.object(shape, { error: missingOr(faultTexts.notAnObject) });

/** Of country code and phone number together (ITU-T E.164). */
const numberDigitsMax = 15;

type NumberFields = { country_code: unknown; phone_number: unknown };

/**
 * Refines a payload that holds a number: country code and phone number have at most 15 digits together. Also
 * reported when another field is faulty, but not when one of these two is: that field has its own fault.
 */
export function withNumberLength<S extends z.ZodType<NumberFields>>(schema: S): S {
  return schema
    .refine(({ country_code, phone_number }) => fitsTogether(country_code, phone_number), {
      error: faultTexts.numberTooLong,
      path: ['phone_number'],
      when: ({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value),
    })
    .meta({ anyOf: [3, 2, 1].map(numberOfCodeLength) });
}

/** The same rule for JSON Schema, which cannot add: one of these holds for a number that is not too long. */
function numberOfCodeLength(codeDigits: number) {
  return {
    properties: {
      country_code: { maxLength: codeDigits },
      phone_number: { maxLength: numberDigitsMax - codeDigits },
    },
  };
}

function fitsTogether(code: unknown, number: unknown): boolean {
  if (typeof code !== 'string' || !countryCodePattern.test(code)) return true;
  if (typeof number !== 'string' || !phoneNumberPattern.test(number)) return true;
  return code.length + number.length <= numberDigitsMax;
}
