import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { rightCode } from './honest-users.ts';

const takesMs = 300;

/**
 * Starts a stand-in of Twilio Verify that takes 300 ms for each answer, and for which one code is right for everybody.
 * @returns the environment of a core that uses it
 */
export async function startSlowProvider(): Promise<{ env: NodeJS.ProcessEnv; close: () => void }> {
  const server = createServer(async (request, response) => {
    const form = new URLSearchParams(await text(request));
    const isCheck = (request.url ?? '').includes('/VerificationCheck');
    const status = isCheck && form.get('Code') === rightCode ? 'approved' : 'pending';
    setTimeout(() => {
      response.writeHead(isCheck ? 200 : 201, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ status }));
    }, takesMs);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    env: {
      VERIFICATION_PROVIDER: 'twilio',
      VERIFICATION_CODE_DIGITS: String(rightCode.length),
      TWILIO_ACCOUNT_SID: `AC${'1'.repeat(32)}`,
      TWILIO_AUTH_TOKEN: 'token',
      TWILIO_VERIFY_SERVICE_SID: `VA${'2'.repeat(32)}`,
      TWILIO_VERIFY_CHECKS: 'true',
      TWILIO_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
