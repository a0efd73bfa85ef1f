import { isSid } from '@hooligram/protocol';
import { configRule, milliseconds, port, variable } from '@hooligram/service';
import { z } from 'zod';

/** A message is measured from each place to each: beyond this there are too many series. */
const placesMax = 16;

const schema = z.object({
  // Beside a gateway and a core on one machine.
  ADMIN_PORT: port().default(9200).describe('port of /healthz, /readyz and /metrics'),
  CANARY_URLS: variable(
    `1 to ${placesMax} URLs with commas between, such as ws://10.0.0.7:8080/v2, each of another host or port`,
    urlsOf,
  ).describe('gateways or load balancers, with commas between; messages go from each to each'),
  CANARY_EVERY_MS: milliseconds({ min: 100 })
    .default(5_000)
    .describe('how often a message is sent through each of CANARY_URLS'),
  CANARY_LOST_MS: milliseconds({ min: 100 })
    .default(10_000)
    .describe('a message that has not come within this time is lost'),
  CANARY_SENDER: sid().describe('the user who sends, such as 44.7700900001'),
  CANARY_SENDER_TOKEN: z.string().min(1).describe('what CANARY_SENDER signs in with'),
  CANARY_RECIPIENT: sid().describe('the user who receives, another one'),
  CANARY_RECIPIENT_TOKEN: z.string().min(1).describe('what CANARY_RECIPIENT signs in with'),
});

export const canaryConfig = schema.check(
  configRule<z.output<typeof schema>>(({ CANARY_SENDER, CANARY_RECIPIENT }, fault) => {
    if (CANARY_SENDER !== undefined && CANARY_SENDER === CANARY_RECIPIENT) {
      fault('CANARY_RECIPIENT', 'must be another user than CANARY_SENDER');
    }
  }),
);

function sid() {
  return variable('a user as <country code>.<phone number>', (text) => (isSid(text) ? text : undefined));
}

/** The name of a URL in the metrics: its host and port. */
export function placeOf(url: string): string {
  return new URL(url).host;
}

function urlsOf(text: string): readonly string[] | undefined {
  const urls = text.split(',').map((part) => part.trim());
  if (!urls.every((url) => /^wss?:\/\//.test(url) && URL.canParse(url))) return undefined;
  const places = new Set(urls.map(placeOf));
  return places.size === urls.length && urls.length <= placesMax ? urls : undefined;
}
