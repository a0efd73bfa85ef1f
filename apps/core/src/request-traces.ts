import type { BusPublisher, Names } from '@hooligram/bus';
import { encodeTracedMessages } from '@hooligram/contract';
import type { Span, Tracer } from '@hooligram/service';

type TracedMessage = {
  readonly group_id: number;
  readonly message_id: number;
  readonly trace: string | undefined;
};

type Options = {
  readonly tracer: Tracer;
  readonly publisher: Pick<BusPublisher, 'publish' | 'published'>;
  readonly names: Pick<Names, 'group'>;
};

/**
 * This core's spans of the traces of messages: which, and under which parents, says `docs/traces.md`. It exists only while
 * messages are traced. A trace begins at a gateway; what comes without a context is not traced here either.
 */
export class RequestTraces {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /**
   * Runs a batch. Each traced request of it has a span of its own, with the times of the batch.
   * @param run is given the requests, with the contexts of these spans in place of those that they came with
   */
  async batch<R extends { readonly trace?: string }, T extends { readonly is: string }>(
    type: string,
    requests: readonly R[],
    run: (requests: readonly R[]) => Promise<T>,
  ): Promise<T> {
    const attributes = { 'hooligram.batch_size': requests.length };
    const spans: Span[] = [];
    const traced = requests.map((request) => {
      const span = this.#child(`batch ${type}`, request, { kind: 'consumer', attributes });
      if (!span) return request;
      spans.push(span);
      return { ...request, trace: span.context };
    });
    const result = await run(traced);
    for (const span of spans) span.end({ 'hooligram.outcome': result.is });
    return result;
  }

  /** A statement of Postgres begins, for these requests. @returns to be called when it has succeeded */
  statement(requests: readonly { readonly trace?: string }[]): () => void {
    const spans = requests.flatMap((request) => this.#child('statement', request, { kind: 'client' }) ?? []);
    return () => {
      for (const span of spans) span.end();
    };
  }

  /** Publishes which of these messages are traced. The messages themselves have to be published behind it, in this tick. */
  announce(messages: readonly TracedMessage[]): void {
    const { publisher, names } = this.#options;
    const spans: Span[] = [];
    const ofGroups = new Map<number, [number, string][]>();
    for (const message of messages) {
      const { group_id, message_id } = message;
      const attributes = { 'hooligram.message_id': message_id, 'hooligram.group_id': group_id };
      const span = this.#child('publish', message, { kind: 'producer', attributes });
      if (!span) continue;
      spans.push(span);
      const traced = ofGroups.get(group_id) ?? [];
      traced.push([message_id, span.context]);
      ofGroups.set(group_id, traced);
    }
    if (spans.length === 0) return;
    for (const [groupId, traced] of ofGroups) {
      publisher.publish(names.group(groupId), encodeTracedMessages({ traced }), groupId);
    }
    void publisher.published().then(() => {
      for (const span of spans) span.end();
    });
  }

  #child(
    name: string,
    { trace }: { readonly trace?: string | undefined },
    options: Omit<NonNullable<Parameters<Tracer['begin']>[1]>, 'parent'>,
  ): Span | undefined {
    return trace === undefined ? undefined : this.#options.tracer.begin(name, { ...options, parent: trace });
  }
}
