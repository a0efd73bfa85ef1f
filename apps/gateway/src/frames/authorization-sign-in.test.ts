import { createLog, createMetrics } from '@hooligram/service';
import { expect, test } from '@jest/globals';
import type { GatewayContext } from '../context.ts';
import { ClientLimits } from '../limits/client-limits.ts';
import { gatewayLimitsConfig } from '../limits/config.ts';
import { createGatewayMetrics } from '../metrics.ts';
import { Places } from '../places.ts';
import type { Session } from '../session.ts';
import { authorizationSignIn } from './authorization-sign-in.ts';
import { verificationSubmitCode } from './verification-submit-code.ts';

/** A gateway whose core takes every submitted code and refuses every sign-in, and notes for which numbers it was asked. */
function gateway() {
  const metrics = createGatewayMetrics(createMetrics({ role: 'gateway' }));
  const log = createLog({ name: 'gateway', level: 'silent' });
  const clientLimits = new ClientLimits(gatewayLimitsConfig.parse({}), metrics, log);
  const asked: string[] = [];
  const context = {
    ...{ metrics, clientLimits },
    signIns: new Places({ placesMax: 8, lateMaxMs: 5 }, { begin() {}, end() {}, isNoticed: () => true }),
    core: {
      request: async (type: string, { phone_number }: { phone_number: string }) => {
        if (type === 'VERIFICATION_SUBMIT_CODE') return { ok: true, answer: {} };
        asked.push(phone_number);
        return { ok: false, isUnknown: false, errors: ['too many attempts: try again in 3600 s'] };
      },
    },
  } as unknown as GatewayContext;
  const connect = () => {
    const socket = { address: '203.0.113.7', isOpen: true, sendLater() {}, end() {} };
    const limits = clientLimits.open(socket);
    const session = { socket, limits, hasRequestedCode: true, connectionId: 'c' } as unknown as Session;
    return {
      signIn: (phone_number: string) =>
        authorizationSignIn(context, session, {
          ...{ kind: 'request', id: '1', faults: [], type: 'AUTHORIZATION_SIGN_IN_REQUEST' },
          payload: { country_code: '1', phone_number, verification_code: '12345678' },
        }),
      submitCode: () =>
        verificationSubmitCode(context, session, {
          ...{ kind: 'request', id: '2', faults: [], type: 'VERIFICATION_SUBMIT_CODE_REQUEST' },
          payload: { verification_code: '12345678' },
        }),
    };
  };
  return { asked, connect };
}

test('whoever has submitted a right code signs in with it once, whatever is known of others behind their address', async () => {
  const { asked, connect } = gateway();
  const [guesser, owner] = [connect(), connect()];
  const phones = Array.from({ length: 20 }, (_, n) => `20255501${10 + n}`);
  for (const phone of phones) await guesser.signIn(phone);
  // The first one of the connection, which is wrong, and another one: the core is asked about it no more.
  await owner.signIn('2025550199');
  await owner.signIn('2025550199');
  const before = asked.length;
  await owner.signIn('2025550199');
  await owner.signIn('2025550198');
  expect(asked).toHaveLength(before);
  await owner.submitCode();
  await owner.signIn('2025550199');
  expect(asked).toHaveLength(before + 1);
  await owner.signIn('2025550199');
  await owner.signIn('2025550198');
  expect(asked).toHaveLength(before + 1);
});
