import type { CoreMetrics } from '../metrics.ts';
import type { VerificationProvider } from './provider.ts';

/** The same provider; every call of it is counted and timed. */
export function meteredProvider(
  provider: VerificationProvider,
  { codes, providerCalls, providerSeconds }: Pick<CoreMetrics, 'codes' | 'providerCalls' | 'providerSeconds'>,
): VerificationProvider {
  const { reportConverted } = provider;
  return {
    ...provider,
    async send(to, code, timeoutMs) {
      codes(to.countryCode, 'requested').count += 1;
      const end = providerSeconds.startTimer({ call: 'send' });
      const sent = await provider.send(to, code, timeoutMs);
      end();
      providerCalls.inc({ call: 'send', outcome: sent.ok ? 'sent' : sent.reason });
      if (sent.ok) codes(to.countryCode, 'sent').count += 1;
      return sent;
    },
    async check(to, code, timeoutMs) {
      const end = providerSeconds.startTimer({ call: 'check' });
      const checked = await provider.check(to, code, timeoutMs);
      end();
      providerCalls.inc({ call: 'check', outcome: checked });
      return checked;
    },
    ...(reportConverted && {
      async reportConverted(to) {
        const end = providerSeconds.startTimer({ call: 'report' });
        const reported = await reportConverted(to);
        end();
        providerCalls.inc({ call: 'report', outcome: reported });
        return reported;
      },
    }),
  };
}
