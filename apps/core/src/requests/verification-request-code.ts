import { type CodeOutcome, readOutcome, settleOutcome, verificationRequestCode } from '@hooligram/db';
import { mustBeWritten, sidOf } from '@hooligram/protocol';
import type { Context } from '../context.ts';
import type { NumberFault } from '../verification/numbers.ts';
import { abandonedAfterMs, providerTimeMs, settled, stored } from '../verification/waiting.ts';
import { type Asked, each, faulty, type Handler, refusal, success } from './handler.ts';

type Code = Asked<'VERIFICATION_REQUEST_CODE'>;

const refusals = {
  refused: 'codeNotSent',
  unavailable: 'codeNotSent',
  too_many: 'tooManyRequests',
  failed: 'internalError',
} as const;

const outcomes = { refused: 'refused', tooMany: 'too_many', unavailable: 'unavailable' } as const;

/**
 * Sends a code and remembers for which connection. Registers nothing, and never touches the credential that
 * the number already has. A number that nobody has yet must be one that may become known.
 *
 * The code is recorded before the provider is called: a second run sends no second one. What the provider said is
 * stored too, and a second run waits for it: SUCCESS is what the provider said, never that it was asked.
 */
export const verificationRequestCodeHandler: Handler<'VERIFICATION_REQUEST_CODE'> = {
  batchMax: 1,
  concurrency: 8,
  run: each(async (context, asked) => {
    const { db, limits } = context;
    const { address, country_code, phone_number, connection_id } = asked.params;
    const sid = sidOf(country_code, phone_number);
    // A second run takes nothing of anybody's limits.
    const request = { request_id: asked.request_id, connection_id };
    const before = await readOutcome(db, 'verification_request_code', request);
    if (before !== undefined) return outcomeOf(await outcomeOfFirstRun(context, asked));
    if (!(await limits.codeRequest({ sid, address }))) return refusal('tooManyRequests');
    const fault = (await context.numbers.faultsOfUnknown(db, [sid])).get(sid);
    if (fault) return faulty([`payload.phone_number: ${numberText(fault, country_code)}`]);
    return outcomeOf((await send(context, asked, sid)) ?? (await outcomeOfFirstRun(context, asked)));
  }),
};

/** @returns undefined if another run of the request has begun meanwhile */
async function send(context: Context, asked: Code, sid: string): Promise<CodeOutcome | undefined> {
  const { config, db, provider, credentialHash, deadlines, log } = context;
  const { connection_id, country_code, phone_number } = asked.params;
  const request = { request_id: asked.request_id, connection_id };
  const code = provider.createCode();
  const code_hash = code === null ? null : credentialHash(sid, code);
  const ttl_ms = config.VERIFICATION_TTL_MS;
  const { is_new } = await verificationRequestCode(
    db,
    { ...request, sid, code_hash, ttl_ms },
    deadlines.of(asked),
  );
  if (!is_new) return undefined;

  const to = { countryCode: country_code, phoneNumber: phone_number };
  const sent = await provider.send(to, code, providerTimeMs(context, asked));
  if (!sent.ok) log.warn({ sid, reason: sent.reason }, 'code not sent');
  const outcome = sent.ok ? 'sent' : outcomes[sent.reason];
  return stored(context, asked, () => settleOutcome(db, 'verification_request_code', request, outcome));
}

function outcomeOfFirstRun(context: Context, asked: Code): Promise<CodeOutcome> {
  const { request_id, params } = asked;
  const request = { request_id, connection_id: params.connection_id };
  return settled<CodeOutcome>(context, asked, () =>
    settleOutcome(context.db, 'verification_request_code', request, 'unavailable', abandonedAfterMs(context)),
  );
}

function outcomeOf(outcome: CodeOutcome) {
  if (outcome === 'under_way') return undefined;
  return outcome === 'sent' ? success({}) : refusal(refusals[outcome]);
}

/** Here the number stands without its country code. */
function numberText({ text, writtenAs }: NumberFault, country_code: string): string {
  return writtenAs === undefined ? text : mustBeWritten(writtenAs.slice(`${country_code}.`.length));
}
