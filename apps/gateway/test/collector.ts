import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

type Attribute = { readonly key: string; readonly value: { readonly stringValue?: string } };

/** What OTLP over HTTP brings as JSON, as far as these tests read it. */
type Export = {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly Omit<ReceivedSpan, 'service'>[] }[];
  }[];
};

export type ReceivedSpan = {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly Attribute[];
};

/** An attribute that is a text. */
export function attributeOf(
  { attributes }: Pick<ReceivedSpan, 'attributes'>,
  name: string,
): string | undefined {
  return attributes.find(({ key }) => key === name)?.value.stringValue;
}

/** Stands in for an OpenTelemetry collector: takes what processes send to it. */
export class Collector {
  readonly spans: ReceivedSpan[] = [];
  readonly #server: Server;

  static async start(): Promise<Collector> {
    const collector = new Collector();
    await new Promise<void>((resolve) => collector.#server.listen(0, '127.0.0.1', resolve));
    return collector;
  }

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const isTraces = request.method === 'POST' && request.url === '/v1/traces';
      if (isTraces && request.headers.authorization === 'Bearer let me') this.#take(await text(request));
      response.writeHead(isTraces ? 200 : 404, { 'content-type': 'application/json' }).end('{}');
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The spans of a trace as lines, each below its parent, in the order of their names. */
  treeOf(traceId: string): string[] {
    const spans = this.spans.filter((span) => span.traceId === traceId);
    const below = (parent: string | undefined, indent: string): string[] =>
      spans
        .filter(({ parentSpanId }) => (parentSpanId || undefined) === parent)
        .map(({ service, name, spanId }) => [`${indent}${service}: ${name}`, ...below(spanId, `${indent}  `)])
        .sort((a, b) => (a.join() < b.join() ? -1 : 1))
        .flat();
    return below(undefined, '');
  }

  /** Takes nothing any more, as one that is away. */
  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #take(body: string): void {
    for (const { resource, scopeSpans } of (JSON.parse(body) as Export).resourceSpans) {
      const service = attributeOf(resource, 'service.name') ?? '';
      for (const { spans } of scopeSpans) this.spans.push(...spans.map((span) => ({ ...span, service })));
    }
  }
}
