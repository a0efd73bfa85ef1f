import { type CodeOutcome, readOutcome, settleOutcome, verificationRequestCode } from '@hooligram/db';
import { mustBeWritten, sidOf } from '@hooligram/protocol';
import { createLoopTurns } from '@hooligram/service';
import type { Context } from '../context.ts';
import { orGiveBack, type Taken } from '../limits/limit.ts';
import { readFamiliarity } from '../verification/known-networks.ts';
import type { NumberFault } from '../verification/numbers.ts';
import { abandonedAfterMs, providerTimeMs, settled, stored } from '../verification/waiting.ts';
import {
  each,
  faulty,
  type Handler,
  type HandlerRequest,
  limited,
  providerCalls,
  refusal,
  success,
} from './handler.ts';

type CodeRequest = HandlerRequest<'VERIFICATION_REQUEST_CODE'>;

const refusals = {
  refused: 'codeNotSent',
  unavailable: 'codeNotSent',
  too_many: 'tooManyRequests',
  failed: 'internalError',
} as const;

const outcomes = { refused: 'refused', tooMany: 'too_many', unavailable: 'unavailable' } as const;

/**
 * What was read for hundreds at once comes back in one turn of the event loop. What follows is a tenth or two of a millisecond
 * for each, so that so many in a turn make nobody else wait for long.
 */
const aTurn = 8;
const turn = createLoopTurns(aTurn);

/**
 * Sends a code and stores for which connection. Registers nothing, and never changes the credential that the number
 * already has. A number that no user has yet must be one that may become known.
 *
 * The code is recorded before the provider is called: a second run sends no second code. The provider's answer is
 * stored too, and a second run waits for it: SUCCESS means that the provider sent the code, not that it was called.
 */
export const verificationRequestCodeHandler: Handler<'VERIFICATION_REQUEST_CODE'> = {
  batchMax: 1,
  ...providerCalls,
  handle: each(async (context, request) => {
    const { db, limits } = context;
    const { address, country_code, phone_number, connection_id } = request.params;
    const sid = sidOf(country_code, phone_number);
    // A second run counts against no limit, and nor does one that could not record its code: it is run again.
    const before = await readOutcome(db, 'verification_request_code', {
      request_id: request.request_id,
      connection_id,
    });
    if (before !== undefined) return outcomeOf(await outcomeOfFirstRun(context, request));
    await turn();
    const fault = (await context.numbers.faultsOfUnknown(db, [sid])).get(sid);
    if (fault) return faulty([`payload.phone_number: ${numberText(fault, country_code)}`]);
    if (!context.numbers.takesTexts(sid)) return refusal('codeNotSent');
    const source = { sid, address };
    const taken = await limits.texts.take(source, () => readFamiliarity(context, source));
    if ('seconds' in taken) return limited('tooManyRequests', taken.seconds);
    const outcome = await send(context, request, sid, taken);
    return outcomeOf(outcome ?? (await outcomeOfFirstRun(context, request)));
  }),
};

/**
 * @param taken is given back if this run calls no provider
 * @returns undefined if another run of the request has begun meanwhile
 */
async function send(
  context: Context,
  request: CodeRequest,
  sid: string,
  taken: Taken,
): Promise<CodeOutcome | undefined> {
  const { config, db, provider, credentials, deadlines, log } = context;
  const { connection_id, country_code, phone_number } = request.params;
  const key = { request_id: request.request_id, connection_id };
  const code = provider.createCode();
  const code_hash = code === null ? null : credentials.hash(sid, code);
  const ttl_ms = config.VERIFICATION_TTL_MS;
  const { is_new } = await orGiveBack(taken, () =>
    verificationRequestCode(db, { ...key, sid, code_hash, ttl_ms }, deadlines.of(request)),
  );
  if (!is_new) {
    await taken.giveBack();
    return undefined;
  }

  const to = { countryCode: country_code, phoneNumber: phone_number };
  const sent = await provider.send(to, code, providerTimeMs(context, request));
  if (!sent.ok) log.warn({ sid, reason: sent.reason }, 'code not sent');
  const outcome = sent.ok ? 'sent' : outcomes[sent.reason];
  return stored(context, request, () => settleOutcome(db, 'verification_request_code', key, outcome));
}

function outcomeOfFirstRun(context: Context, request: CodeRequest): Promise<CodeOutcome> {
  const key = { request_id: request.request_id, connection_id: request.params.connection_id };
  return settled<CodeOutcome>(context, request, () =>
    settleOutcome(context.db, 'verification_request_code', key, 'unavailable', abandonedAfterMs(context)),
  );
}

function outcomeOf(outcome: CodeOutcome) {
  if (outcome === 'under_way') return undefined;
  return outcome === 'sent' ? success({}) : refusal(refusals[outcome]);
}

/** The field holds the number without its country code. */
function numberText({ text, writtenAs }: NumberFault, country_code: string): string {
  return writtenAs === undefined ? text : mustBeWritten(writtenAs.slice(`${country_code}.`.length));
}
