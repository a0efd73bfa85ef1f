import { z } from 'zod';
import type { Config } from './config.ts';
import { milliseconds, url, variable } from './variables.ts';

/** OpenTelemetry's own variables, under their own names: what sets up other services sets up these. */
export const tracingConfig = z.object({
  OTEL_EXPORTER_OTLP_ENDPOINT: url(['http', 'https'])
    .optional()
    .describe(
      'a collector that takes OTLP over HTTP, such as http://10.0.0.7:4318; without it nothing is traced',
    ),
  OTEL_EXPORTER_OTLP_HEADERS: variable('headers, such as name=value,other=value', headersOf)
    .optional()
    .describe('what the collector wants as headers, such as authorization=Bearer%20abc'),
  OTEL_TRACES_EXPORTER: z
    .enum(['otlp', 'none'])
    .default('otlp')
    .describe('none traces nothing, whatever the endpoint is'),
  OTEL_SERVICE_NAME: z
    .string()
    .min(1)
    .optional()
    .describe('what the process is called in traces; without it hooligram-gateway, hooligram-core'),
  OTEL_BSP_SCHEDULE_DELAY: milliseconds({ min: 1 })
    .default(5_000)
    .describe('spans of this many milliseconds leave together'),
});

const samplers = ['always_on', 'always_off', 'traceidratio'] as const;

/** For where traces begin; everybody else follows what was chosen there. */
export const samplingConfig = z.object({
  OTEL_TRACES_SAMPLER: z
    .enum([...samplers, ...samplers.map((name) => `parentbased_${name}` as const)])
    .default('parentbased_traceidratio')
    .describe(
      'which messages are traced: all, none, or a share; with parentbased_ before it, it is the same',
    ),
  OTEL_TRACES_SAMPLER_ARG: variable('a number from 0 to 1, such as 0.01', shareOf)
    .default(0.01)
    .describe('the share of messages that are traced when OTEL_TRACES_SAMPLER ends with traceidratio'),
});

export type TracingConfig = Config<typeof tracingConfig> & Partial<Config<typeof samplingConfig>>;

/** @returns which share of what begins here is traced, from 0 to 1 */
export function ratioOf({
  OTEL_TRACES_SAMPLER: sampler,
  OTEL_TRACES_SAMPLER_ARG: share,
}: TracingConfig): number {
  if (sampler?.endsWith('always_on')) return 1;
  return sampler?.endsWith('traceidratio') ? (share ?? 0) : 0;
}

function shareOf(text: string): number | undefined {
  const share = /^\d(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
  return share <= 1 ? share : undefined;
}

function headersOf(text: string): Readonly<Record<string, string>> | undefined {
  const pairs = text.split(',').map((pair) => /^\s*([\w-]+)\s*=(.*)$/.exec(pair));
  try {
    return Object.fromEntries(
      pairs.map((pair) => {
        const [, name = '', value = ''] = pair ?? [];
        if (name === '') throw new Error('no name');
        return [name, decodeURIComponent(value.trim())];
      }),
    );
  } catch {
    return undefined;
  }
}
