import { expect, test } from '@jest/globals';
import { addCommands, commands } from '../src/commands/index.ts';
import { createProgram } from '../src/program.ts';

async function commandsOf(...args: string[]): Promise<string[]> {
  const program = createProgram();
  await addCommands(program, args);
  return program.commands.map((command) => command.name());
}

const names = Object.keys(commands);

test.each(names)('a call of %s finds that command, and loads no other', async (name) => {
  expect(await commandsOf(name, '--json')).toEqual([name]);
});

test('a call that begins with none of them knows all', async () => {
  for (const args of [[], ['--help'], ['statsu'], ['toString']])
    expect(await commandsOf(...args)).toEqual(names);
  expect(await commandsOf('--version')).toEqual([]);
});
