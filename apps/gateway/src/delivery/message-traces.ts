import type { CoreRequest, TracedMessages } from '@hooligram/contract';
import type { Span, Tracer } from '@hooligram/service';
import type { Reply } from '../core/core-client.ts';
import type { DeliveryCursor } from '../groups/delivery-cursor.ts';

/** Most messages whose delivery is followed; the oldest is forgotten. */
const followedMax = 1_000;

/** Most spans of one message's deliveries here, and of its acknowledgements: a large group is no thousand spans. */
const spansMax = 16;

/** A traced message that a core announced. */
type Followed = {
  /** The context of its publication. */
  readonly published: string;
  readonly announcedAt: number;
  deliveriesLeft: number;
  acknowledgementsLeft: number;
  /** When and as which span it was sent last. */
  sent?: { readonly context: string; readonly at: number };
};

/** A request to the core, as part of a trace. */
type TracedRequest = {
  /** What goes with the request. */
  readonly context: string;
  end(reply: Reply<'MESSAGING_SEND' | 'CURSOR_RAISE'>): void;
};

/**
 * This gateway's spans of the traces of messages: which, and under which parents, says `docs/traces.md`. It exists only
 * while messages are traced.
 *
 * What it keeps is bounded, and nothing waits for it: a span whose end never comes is not sent.
 */
export class MessageTraces {
  readonly #tracer: Tracer;
  readonly #sends = new WeakMap<object, Span>();
  readonly #followed = new Map<number, Followed>();
  readonly #acknowledged = new WeakMap<DeliveryCursor, Span[]>();

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  /** A client's request will be handled. A trace may begin with it. */
  received(frame: { readonly type: string }): void {
    if (frame.type !== 'MESSAGING_SEND_REQUEST') return;
    const span = this.#tracer.begin('MESSAGING_SEND', { kind: 'server' });
    if (span) this.#sends.set(frame, span);
  }

  /** A client's request goes to the core. */
  sending(frame: object): TracedRequest | undefined {
    const send = this.#sends.get(frame);
    const request = send && this.#tracer.begin('request', { kind: 'client', parent: send.context });
    if (!request) return undefined;
    return {
      context: request.context,
      end(reply) {
        const outcome = outcomeOf(reply);
        request.end(outcome);
        send.end(outcome);
      },
    };
  }

  /** Redis took these requests, after so many milliseconds. */
  written(ms: number, requests: readonly CoreRequest[]): void {
    for (const { trace } of requests) {
      if (trace === undefined) continue;
      this.#tracer.begin('redis write', { kind: 'client', parent: trace, begunAt: Date.now() - ms })?.end();
    }
  }

  /** A core has published these messages, or is about to. */
  announced({ traced }: TracedMessages): void {
    const announcedAt = Date.now();
    for (const [messageId, published] of traced) {
      // A core that claimed the entry of an earlier one publishes again.
      this.#followed.delete(messageId);
      this.#followed.set(messageId, {
        published,
        announcedAt,
        deliveriesLeft: spansMax,
        acknowledgementsLeft: spansMax,
      });
    }
    for (const [messageId] of this.#followed) {
      if (this.#followed.size <= followedMax) return;
      this.#followed.delete(messageId);
    }
  }

  /** A message was sent to all connections here that are in its group, or to one that was behind. */
  sent(messageId: number, to: 'group' | 'connection'): void {
    const followed = this.#followed.get(messageId);
    if (!followed || followed.deliveriesLeft === 0) return;
    followed.deliveriesLeft -= 1;
    const at = Date.now();
    const span = this.#tracer.begin('deliver', {
      kind: 'consumer',
      parent: followed.published,
      begunAt: to === 'group' ? followed.announcedAt : at,
      attributes: { 'hooligram.message_id': messageId, 'hooligram.to': to },
    });
    if (!span) return;
    span.end();
    followed.sent = { context: span.context, at };
  }

  /** A client acknowledged a message. */
  acknowledged(messageId: number, cursor: DeliveryCursor, change: 'moved' | 'ahead'): void {
    const followed = this.#followed.get(messageId);
    if (!followed?.sent || followed.acknowledgementsLeft === 0) return;
    followed.acknowledgementsLeft -= 1;
    const { context, at } = followed.sent;
    const span = this.#tracer.begin('acknowledge', { kind: 'client', parent: context, begunAt: at });
    if (!span) return;
    span.end();
    if (change === 'moved') this.#awaitWrite(cursor, span);
  }

  /** Cursors go to the core. */
  writing(cursors: readonly DeliveryCursor[]): TracedRequest | undefined {
    const spans = cursors.flatMap((cursor) => {
      const acknowledged = this.#acknowledged.get(cursor) ?? [];
      this.#acknowledged.delete(cursor);
      return acknowledged;
    });
    const [first] = spans;
    // They share a request, which can be part of one trace only; the others see when it was answered.
    return (
      first && {
        context: first.context,
        end: (reply) => {
          for (const span of spans) span.end(outcomeOf(reply));
        },
      }
    );
  }

  #awaitWrite(cursor: DeliveryCursor, acknowledge: Span): void {
    const span = this.#tracer.begin('cursor', { kind: 'client', parent: acknowledge.context });
    if (!span) return;
    const waiting = this.#acknowledged.get(cursor);
    if (waiting) waiting.push(span);
    else this.#acknowledged.set(cursor, [span]);
  }
}

function outcomeOf(reply: Reply<'MESSAGING_SEND' | 'CURSOR_RAISE'>) {
  if (reply.ok) return { 'hooligram.outcome': 'success' };
  return { 'hooligram.outcome': reply.isUnknown ? 'unknown' : 'failure' };
}
