import { type Log, within } from '@hooligram/service';
import twilio from 'twilio';
import type { CodeChecked, Recipient, Sent, VerificationProvider } from './provider.ts';

export type TwilioOptions = {
  readonly accountSid: string;
  readonly authToken: string;
  readonly verifyServiceSid: string;
  /** Receives all requests instead of Twilio's own hosts. */
  readonly baseUrl: string | undefined;
  readonly timeoutMs: number;
  readonly log: Log;
};

type Failure = Extract<Sent, { ok: false }>['reason'];

/** Twilio's error codes that mean something else than "unavailable". */
const failureByCode: Readonly<Record<number, Failure>> = {
  21211: 'refused', // not a phone number
  21614: 'refused', // not a mobile number
  60200: 'refused', // a parameter is not valid
  60205: 'refused', // a landline
  60410: 'refused', // blocked as fraud
  60605: 'refused', // a country that the account does not serve
  60202: 'tooMany', // checks of one code
  60203: 'tooMany', // codes to one number
};

const resultByStatus: Readonly<Record<string, CodeChecked>> = {
  approved: 'right',
  pending: 'wrong',
  canceled: 'expired',
  deleted: 'expired',
  expired: 'expired',
  failed: 'expired',
  max_attempts_reached: 'tooMany',
};

/** Twilio Verify makes, sends and checks the codes; we never see them before the user types them. */
export function createTwilioProvider(options: TwilioOptions): VerificationProvider {
  const { log, timeoutMs } = options;
  const service = createClient(options).verify.v2.services(options.verifyServiceSid);

  function failure(error: unknown, action: 'send' | 'check'): Failure {
    const { code, status } = error as { code?: number | string; status?: number };
    const reason =
      (typeof code === 'number' && failureByCode[code]) || (status === 429 && 'tooMany') || 'unavailable';
    if (reason === 'unavailable') log.error({ err: error, action }, 'twilio');
    else log.info({ code, status, action, reason }, 'twilio');
    return reason;
  }

  // `within` on top of the SDK's own timeout: that one is of silence, and covers neither the connecting nor an answer
  // that arrives in small pieces.
  return {
    name: 'twilio',
    createCode: () => null,
    async send(to, _code, withinMs) {
      if (withinMs <= 0) return { ok: false, reason: 'unavailable' };
      try {
        await within(
          Math.min(timeoutMs, withinMs),
          service.verifications.create({ to: e164(to), channel: 'sms' }),
        );
        return { ok: true };
      } catch (error) {
        return { ok: false, reason: failure(error, 'send') };
      }
    },
    async check(to, code, withinMs) {
      if (!/^\d{4,10}$/.test(code)) return 'wrong';
      if (withinMs <= 0) return 'unavailable';
      try {
        const checking = service.verificationChecks.create({ to: e164(to), code });
        const { status } = await within(Math.min(timeoutMs, withinMs), checking);
        return resultByStatus[status] ?? 'unavailable';
      } catch (error) {
        // Twilio forgets a verification once it is approved, out of attempts, or too old.
        if ((error as { status?: number }).status === 404) return 'expired';
        const reason = failure(error, 'check');
        return reason === 'refused' ? 'wrong' : reason;
      }
    },
  };
}

function createClient({ accountSid, authToken, baseUrl, timeoutMs }: TwilioOptions) {
  const httpClient = new twilio.RequestClient({ timeout: timeoutMs });
  if (baseUrl !== undefined) {
    const base = new URL(baseUrl);
    const request = httpClient.request.bind(httpClient);
    httpClient.request = (options) => request({ ...options, uri: rebased(options.uri, base) });
  }
  // The SDK prints whole requests, numbers in clear, if its own variable says "debug".
  return twilio(accountSid, authToken, { httpClient, logLevel: 'error' });
}

function rebased(uri: string, base: URL): string {
  const { pathname, search } = new URL(uri);
  return `${base.origin}${base.pathname.replace(/\/$/, '')}${pathname}${search}`;
}

function e164({ countryCode, phoneNumber }: Recipient): string {
  return `+${countryCode}${phoneNumber}`;
}
