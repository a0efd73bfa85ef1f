import { spawn } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { answerTo } from '../src/siege/usage.ts';

const child = (code: string) =>
  spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });

test('an attacker that dies instead of answering ends the siege, also if it was dead before', async () => {
  const dying = child('process.once("message", () => process.exit(3))');
  await expect(answerTo(dying, 'usage')).rejects.toThrow('the attacker has died: 3');
  await expect(answerTo(dying, 'usage')).rejects.toThrow('the attacker has died: 3');
  const living = child('process.once("message", (text) => process.send({ text }, () => process.exit()))');
  expect(await answerTo(living, 'usage')).toEqual({ text: 'usage' });
});
