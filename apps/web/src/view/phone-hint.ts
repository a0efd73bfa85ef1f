import { nameOfCountry, type Reading, showSid, sidOf } from '../phone.ts';

/** What will be dialled, and what there is to know about it; '' while nothing would be. */
export function phoneHint(reading: Reading): string {
  if (reading.kind !== 'number') return '';
  const country = reading.country === undefined ? '' : ` (${nameOfCountry(reading.country)})`;
  return [`Dials ${showSid(sidOf(reading.number))}${country}.`, ...reading.remarks].join(' ');
}

/** Said where a number is wanted and none is written. */
export const phoneWanted = 'Write a phone number, such as +1 555 0100.';
