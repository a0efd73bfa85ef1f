import { hostname } from 'node:os';
import { ROOT_CONTEXT, type Tracer as SdkTracer, SpanKind, TraceFlags, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { release } from './release.ts';
import type { Span, SpanOptions, Tracer } from './tracing.ts';

/** Longest time in which spans are sent, all tries together; then they are lost. */
const sendingMaxMs = 3_000;

type Options = {
  /** What the process is called. */
  readonly service: string;
  /** Takes OTLP as JSON. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of the traces that begin here, from 0 to 1. */
  readonly share: number;
  /** Spans of so many milliseconds leave together. */
  readonly everyMs: number;
  onSent(spans: number): void;
  onLost(spans: number, reason: string): void;
};

/** The only file that knows OpenTelemetry's packages; it is loaded when something is traced, and not before. */
export function createTracing(options: Options): { tracer: Tracer; close(): Promise<void> } {
  const { service, share, everyMs } = options;
  const attributes = {
    'service.name': service,
    'service.version': release,
    'host.name': hostname(),
    'process.pid': process.pid,
  };
  const provider = new TracerProvider({
    resource: defaultResource().merge(resourceFromAttributes(attributes)),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(share) }),
    spanProcessors: [
      new BatchSpanProcessor({ exporter: reportingExporter(options), scheduledDelayMillis: everyMs }),
    ],
  });
  const tracer = provider.getTracer('hooligram', release);
  return {
    tracer: { begin: (name, spanOptions = {}) => begin(tracer, name, spanOptions) },
    close: () => provider.shutdown(),
  };
}

function begin(
  tracer: SdkTracer,
  name: string,
  { kind, parent, begunAt, attributes }: SpanOptions,
): Span | undefined {
  const context = parent === undefined ? ROOT_CONTEXT : contextOf(parent);
  if (!context) return undefined;
  const span = tracer.startSpan(
    name,
    {
      kind: kind ? kinds[kind] : SpanKind.INTERNAL,
      ...(begunAt !== undefined && { startTime: begunAt }),
      ...(attributes && { attributes }),
    },
    context,
  );
  if (!span.isRecording()) return undefined;
  const { traceId, spanId } = span.spanContext();
  return {
    context: `00-${traceId}-${spanId}-01`,
    end(more) {
      if (more) span.setAttributes(more);
      span.end();
    },
  };
}

const kinds = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

/** @returns undefined for what is no `traceparent` of a sampled span: anybody may have written it */
function contextOf(parent: string) {
  const [, traceId, spanId] = /^00-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-01$/.exec(parent) ?? [];
  if (traceId === undefined || spanId === undefined) return undefined;
  const spanContext = { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true };
  return trace.setSpanContext(ROOT_CONTEXT, spanContext);
}

/** Sends spans, and says what became of them. */
function reportingExporter({ url, headers, onSent, onLost }: Options): SpanExporter {
  const exporter = new OTLPTraceExporter({ url, headers: { ...headers }, timeoutMillis: sendingMaxMs });
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        // 0 is success; the names of the codes are in another package.
        if (result.code === 0) onSent(spans.length);
        else onLost(spans.length, result.error?.message ?? 'not sent');
        done(result);
      });
    },
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  };
}
