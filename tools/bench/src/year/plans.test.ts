import { expect, test } from '@jest/globals';
import { blocks } from './plans.ts';

const insert = {
  'Node Type': 'ModifyTable',
  'Subplan Name': 'CTE inserted',
  'Shared Hit Blocks': 7,
  'Shared Read Blocks': 2,
};

test('the blocks of a statement are those of its plan, and those of what it changes after it has answered', () => {
  const plan = {
    'Node Type': 'Append',
    'Shared Hit Blocks': 10,
    'Shared Read Blocks': 1,
    Plans: [insert, { 'Node Type': 'CTE Scan', 'CTE Name': 'numbered', 'Shared Hit Blocks': 10 }],
  };
  expect(blocks(plan)).toEqual({ all: 20, read: 3 });
});

test('a change whose rows the statement reads is counted once', () => {
  const plan = {
    'Node Type': 'Append',
    'Shared Hit Blocks': 10,
    Plans: [insert, { 'Node Type': 'CTE Scan', 'CTE Name': 'inserted', 'Shared Hit Blocks': 9 }],
  };
  expect(blocks(plan)).toEqual({ all: 10, read: 0 });
});
