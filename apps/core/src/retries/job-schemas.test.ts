import { type ContractMessage, jobTable } from '@hooligram/contract';
import { expect, test } from '@jest/globals';
import { jobTypes } from './index.ts';

test.each(jobTypes)(
  'a $name job is read with and without its optional fields, and what is unknown is ignored',
  ({ name, schema }) => {
    const { required, optional = {} }: ContractMessage = jobTable[name as keyof typeof jobTable];
    const samples = Object.fromEntries(
      Object.entries(optional).map(([field, [, sample]]) => [field, sample]),
    );
    const isRead = (data: object) => schema.safeParse(data).success;
    expect(isRead(required)).toBe(true);
    expect(schema.parse({ ...required, ...samples, further: [1] })).toEqual({ ...required, ...samples });
    for (const field of Object.keys(required))
      expect(isRead(Object.fromEntries(Object.entries(required).filter(([other]) => other !== field)))).toBe(
        false,
      );
  },
);
