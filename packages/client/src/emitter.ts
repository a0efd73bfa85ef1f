import type { ClientEvents } from './events.ts';
import type { AbortSignalLike } from './options.ts';

type EventName = keyof ClientEvents;
type Argument<E extends EventName> = Parameters<ClientEvents[E]>[0];

const page = globalThis as { reportError?(error: unknown): void };

/** The handlers of one client. */
export class Emitter {
  readonly #handlers = new Map<EventName, Set<(argument: never) => unknown>>();
  #onAdded: (() => void)[] = [];

  on<E extends EventName>(event: E, handler: ClientEvents[E], signal?: AbortSignalLike): () => void {
    if (signal?.aborted) return () => undefined;
    // A handler that is added twice is called twice, and taken away once.
    const own = (argument: never) => (handler as (argument: never) => unknown)(argument);
    const handlers = this.#handlers.get(event) ?? new Set();
    this.#handlers.set(event, handlers.add(own));
    const off = () => {
      handlers.delete(own);
      signal?.removeEventListener('abort', off);
    };
    signal?.addEventListener('abort', off, { once: true });
    for (const resume of this.#onAdded.splice(0)) resume();
    return off;
  }

  has(event: EventName): boolean {
    return (this.#handlers.get(event)?.size ?? 0) > 0;
  }

  /** Calls the handlers without waiting for them. What a handler throws becomes an `error`; a browser logs it, if there is no handler of `error`. */
  emit<E extends EventName>(event: E, ...args: Parameters<ClientEvents[E]>): void {
    if (event === 'error' && !this.has(event)) page.reportError?.(args[0]);
    this.deliver(event, ...args).catch((error: unknown) => {
      if (event !== 'error') this.emit('error', error);
    });
  }

  /** Calls all handlers, and resolves when all have ended. @throws what one of them threw */
  async deliver<E extends EventName>(event: E, ...[argument]: Parameters<ClientEvents[E]>): Promise<void> {
    const handlers = [...(this.#handlers.get(event) ?? [])] as ((argument?: Argument<E>) => unknown)[];
    const ends = await Promise.allSettled(handlers.map(async (handler) => handler(argument)));
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Resolves when the event has a handler. */
  async whenHandled(event: EventName): Promise<void> {
    while (!this.has(event)) {
      await new Promise<void>((resolve) => this.#onAdded.push(resolve));
    }
  }
}
