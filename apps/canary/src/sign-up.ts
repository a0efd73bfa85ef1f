import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { memoryStorage } from '@hooligram/client';
import { isSid, phoneOf } from '@hooligram/protocol';
import { openClient } from './user-client.ts';

const usage = `node apps/canary/dist/sign-up.js <url> <user>

Makes a user for the canary: sends a code to their number, reads it from standard input, and prints
the token that goes to CANARY_SENDER_TOKEN or CANARY_RECIPIENT_TOKEN. A token that the user had before
is void then.

  <url>    a gateway or load balancer, such as wss://chat.example/v2
  <user>   <country code>.<phone number>, such as 44.7700900001: a number of your own
`;

const [url = '', sid = ''] = process.argv.slice(2);
if (!URL.canParse(url) || !isSid(sid)) {
  process.stderr.write(usage);
  process.exit(1);
}
try {
  process.stdout.write(`${await signUp()}\n`);
} catch (error) {
  process.stderr.write(`sign-up: ${(error as Error).message}\n`);
  process.exitCode = 1;
}

async function signUp(): Promise<string> {
  const storage = memoryStorage();
  const client = openClient(url, storage);
  try {
    await client.requestCode(phoneOf(sid));
    process.stderr.write(`code for ${sid}: `);
    const verification_code = await lineOfInput();
    await client.submitCode(verification_code);
    await client.signIn({ ...phoneOf(sid), verification_code });
  } finally {
    await client.close();
  }
  // The SDK keeps the token in the place of the code.
  const { verification_code } = JSON.parse((await storage.load()).get('credential') ?? '{}');
  return verification_code;
}

async function lineOfInput(): Promise<string> {
  const input = createInterface({ input: process.stdin });
  const [line] = await once(input, 'line');
  input.close();
  return String(line).trim();
}
