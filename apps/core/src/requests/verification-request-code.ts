import { recordChallenge, wasChallengeRecorded } from '@hooligram/db';
import { mustBeWritten, sidOf } from '@hooligram/protocol';
import type { NumberFault } from '../numbers.ts';
import { each, faulty, type Handler, refusal, success } from './handler.ts';

const refusals = { refused: 'codeNotSent', unavailable: 'codeNotSent', tooMany: 'tooManyRequests' } as const;

/**
 * Sends a code and remembers for which connection. Registers nothing, and never touches the credential that
 * the number already has. A number that nobody has yet must be one that may become known. The code is recorded before the provider is called: a second run sends no second one.
 */
export const verificationRequestCode: Handler<'VERIFICATION_REQUEST_CODE'> = {
  batchMax: 1,
  concurrency: 8,
  run: each(async (context, asked) => {
    const { config, db, provider, limits, credentialHash, deadlines, log } = context;
    const { request_id, params } = asked;
    const { connection_id, address, country_code, phone_number } = params;
    const sid = sidOf(country_code, phone_number);
    // A second run takes nothing of anybody's limits.
    const before = await wasChallengeRecorded(db, { request_id, connection_id });
    if (before) return before === 'recorded' ? success({}) : refusal('internalError');
    if (!(await limits.codeRequest({ sid, address }))) return refusal('tooManyRequests');
    const fault = (await context.numbers.faultsOfUnknown(db, [sid])).get(sid);
    if (fault) return faulty([`payload.phone_number: ${numberText(fault, country_code)}`]);

    const code = provider.createCode();
    const code_hash = code === null ? null : credentialHash(sid, code);
    const ttl_ms = config.VERIFICATION_TTL_MS;
    const { is_new } = await recordChallenge(
      db,
      { request_id, connection_id, sid, code_hash, ttl_ms },
      deadlines.of(asked),
    );
    if (!is_new) return success({});

    const sent = await provider.send({ countryCode: country_code, phoneNumber: phone_number }, code);
    if (sent.ok) return success({});
    log.warn({ sid, reason: sent.reason }, 'code not sent');
    return refusal(refusals[sent.reason]);
  }),
};

/** Here the number stands without its country code. */
function numberText({ text, writtenAs }: NumberFault, country_code: string): string {
  return writtenAs === undefined ? text : mustBeWritten(writtenAs.slice(`${country_code}.`.length));
}
