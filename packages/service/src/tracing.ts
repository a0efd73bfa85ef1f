import type { Metrics } from './metrics.ts';
import { createPart } from './part.ts';
import type { ServiceContext } from './service.ts';
import { ratioOf, type TracingConfig, type tracingConfig } from './tracing-config.ts';
import { within } from './within.ts';

type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** One step of a trace, which has begun. */
export type Span = {
  /** Makes other spans its children, here or in another process: a `traceparent` of W3C Trace Context. */
  readonly context: string;
  /** A span that is never ended is never sent, and holds nothing. */
  end(attributes?: SpanAttributes): void;
};

export type SpanOptions = {
  readonly kind?: 'server' | 'client' | 'producer' | 'consumer';
  /** The context of the span that caused it. Without it a trace may begin. */
  readonly parent?: string;
  /** Milliseconds since the epoch; now unless given. */
  readonly begunAt?: number;
  readonly attributes?: SpanAttributes;
};

export type Tracer = {
  /** @returns undefined if it is not sampled, or if `parent` is no context */
  begin(name: string, options?: SpanOptions): Span | undefined;
};

/** Longest wait of a stopping process for its last spans to be sent. */
const closeMaxMs = 2_000;

/** Spans by what became of them. */
export function createTraceMetrics(metrics: Metrics) {
  return metrics.counter('spans_total', 'Spans of traces, by whether the collector took them', {
    outcome: ['sent', 'lost'],
  });
}

type Options = Pick<ServiceContext<typeof tracingConfig>, 'log' | 'metrics' | 'lifecycle'> & {
  readonly config: TracingConfig;
};

/**
 * Opens the way to the collector. It is no condition of readiness: what cannot be sent is lost, and harms nobody.
 *
 * @param name of the process, unless it is configured
 * @returns undefined when nothing is traced: OpenTelemetry's SDK is not even loaded then
 */
export async function openTracer(
  name: string,
  { config, log, metrics, lifecycle }: Options,
): Promise<Tracer | undefined> {
  const spans = createTraceMetrics(metrics);
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_EXPORTER: exporter } = config;
  if (endpoint === undefined || exporter === 'none') return undefined;
  const { createTracing } = await import('./open-telemetry.ts');
  const part = createPart('traces', log);
  const share = ratioOf(config);
  const tracing = createTracing({
    service: config.OTEL_SERVICE_NAME ?? `hooligram-${name}`,
    url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
    headers: config.OTEL_EXPORTER_OTLP_HEADERS ?? {},
    share,
    everyMs: config.OTEL_BSP_SCHEDULE_DELAY,
    onSent(count) {
      spans.inc({ outcome: 'sent' }, count);
      part.works();
    },
    onLost(count, reason) {
      spans.inc({ outcome: 'lost' }, count);
      part.failed(reason);
    },
  });
  log.info({ share }, 'messages are traced');
  lifecycle.onClose('traces', () => within(closeMaxMs, tracing.close()).catch(() => {}));
  return tracing.tracer;
}
