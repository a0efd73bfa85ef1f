import { type Log, within } from '@hooligram/service';
import twilio from 'twilio';
import { randomCode } from './code.ts';
import type { CodeChecked, Recipient, Reported, Sent, VerificationProvider } from './provider.ts';

export type TwilioOptions = {
  readonly accountSid: string;
  readonly authToken: string;
  /** Twilio Verify sends the codes. */
  readonly verifyServiceSid: string | undefined;
  /** It makes and checks them, too. Otherwise that is done here. */
  readonly verifyChecks: boolean;
  /** In its place: the codes are made and compared here, and Twilio sends the texts. */
  readonly messagingServiceSid: string | undefined;
  /** Of a code. */
  readonly digits: number;
  /** Receives all requests instead of Twilio's own hosts. */
  readonly baseUrl: string | undefined;
  readonly timeoutMs: number;
  readonly log: Log;
};

/** Connections to Twilio. The SDK's 20 would make callers wait for each other whenever Twilio is slow. */
const socketsMax = 1_024;

/** Of the time for a code, the end of the one before has a quarter, and no more than this. */
const cancelMaxMs = 1_000;

type Failure = Extract<Sent, { ok: false }>['reason'];

/** The Verify service does not take custom codes. */
const noCustomCodes = 60204;

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

/**
 * Codes are made here, one for each connection, and compared here. Twilio sends them, through a Messaging service, or
 * through Verify, which is told what became of them: it wants to know that, and bounds the codes that are under way.
 *
 * Verify has one verification for a number, one code and one count of tries and texts, whoever asks. If it made and
 * checked the codes, a stranger who guesses five times would spoil the owner's code. So no guess ever reaches it; and a
 * verification that is under way is canceled before the next code, which has a verification of its own then.
 */
export function createTwilioProvider(options: TwilioOptions): VerificationProvider {
  const { log, timeoutMs, digits, messagingServiceSid, verifyChecks } = options;
  const client = createClient(options);
  const verify = () => client.verify.v2.services(options.verifyServiceSid ?? '');
  const isCode = new RegExp(`^\\d{${digits}}$`);

  /** @param timeMs after it nobody waits any more, and no text is begun */
  async function deliver(to: string, code: string | null, timeMs: number): Promise<unknown> {
    if (code === null) return verify().verifications.create({ to, channel: 'sms' });
    if (messagingServiceSid !== undefined) {
      const body = `Your verification code is ${code}`;
      return client.messages.create({ to, messagingServiceSid, body });
    }
    const endsAtMs = performance.now() + timeMs;
    const canceled = endVerification(to, 'canceled');
    await within(Math.min(timeMs / 4, cancelMaxMs), canceled).catch(() => undefined);
    if (performance.now() >= endsAtMs) throw new Error('no time is left for the code');
    return verify().verifications.create({ to, channel: 'sms', customCode: code });
  }

  /** Tells Verify what became of the code that it sent last to a number. */
  async function endVerification(to: string, status: 'approved' | 'canceled'): Promise<Reported> {
    try {
      await verify().verifications(to).update({ status });
      return 'reported';
    } catch (error) {
      // There is none, or none any more.
      if ((error as { status?: number }).status === 404) return 'expired';
      failure(error, status);
      return 'unavailable';
    }
  }

  function failure(error: unknown, action: 'send' | 'check' | 'approved' | 'canceled'): Failure {
    const { code, status } = error as { code?: number | string; status?: number };
    if (code === noCustomCodes) {
      log.error(
        { code, action },
        'twilio: the Verify service does not take custom codes; enable them there, or set TWILIO_VERIFY_CHECKS=true',
      );
      return 'unavailable';
    }
    const reason =
      (typeof code === 'number' && failureByCode[code]) || (status === 429 && 'tooMany') || 'unavailable';
    if (reason === 'unavailable') log.error({ err: error, action }, 'twilio');
    else log.info({ code, status, action, reason }, 'twilio');
    return reason;
  }

  function reportConverted(to: Recipient): Promise<Reported> {
    const reported = endVerification(e164(to), 'approved');
    return within(timeoutMs, reported).catch((error) => {
      failure(error, 'approved');
      return 'unavailable';
    });
  }

  const isMadeByVerify = messagingServiceSid === undefined && verifyChecks;

  // `within` on top of the SDK's own timeout: that one is of silence, and covers neither the connecting nor an answer
  // that arrives in small pieces.
  return {
    name: 'twilio',
    createCode: () => (isMadeByVerify ? null : randomCode(digits)),
    async send(to, code, withinMs) {
      if (withinMs <= 0) return { ok: false, reason: 'unavailable' };
      try {
        const timeMs = Math.min(timeoutMs, withinMs);
        await within(timeMs, deliver(e164(to), code, timeMs));
        return { ok: true };
      } catch (error) {
        return { ok: false, reason: failure(error, 'send') };
      }
    },
    async check(to, code, withinMs) {
      if (!isCode.test(code)) return 'wrong';
      if (withinMs <= 0) return 'unavailable';
      try {
        const checking = verify().verificationChecks.create({ to: e164(to), code });
        const { status } = await within(Math.min(timeoutMs, withinMs), checking);
        return resultByStatus[status] ?? 'unavailable';
      } catch (error) {
        // Twilio forgets a verification once it is approved, out of attempts, or too old.
        if ((error as { status?: number }).status === 404) return 'expired';
        const reason = failure(error, 'check');
        return reason === 'refused' ? 'wrong' : reason;
      }
    },
    ...(messagingServiceSid === undefined && { reportConverted }),
  };
}

function createClient({ accountSid, authToken, baseUrl, timeoutMs }: TwilioOptions) {
  const httpClient = new twilio.RequestClient({
    timeout: timeoutMs,
    maxSockets: socketsMax,
    maxTotalSockets: socketsMax,
  });
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
