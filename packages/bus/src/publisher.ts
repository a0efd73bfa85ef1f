import type { Redis } from 'ioredis';
import type { BusLog } from './connection.ts';
import { reasonOf } from './refusal.ts';

export type Publisher = {
  /** Publishes on a channel. */
  publish(channel: string, payload: string): void;
  /** Sends one answer to a gateway; the answers of one turn for the same gateway travel together. */
  answer(node: string, answer: object): void;
  /** The entry has been answered: it leaves the stream. */
  finish(entryId: string): void;
  /** Resolves when all that was given so far has been sent, or has failed. */
  flushed(): Promise<void>;
};

/**
 * Collects what one event-loop turn wants to tell, and sends it as one pipeline: publications, then answers,
 * then XDEL and XACK.
 *
 * Guarantee: an entry is acknowledged only behind the publications and answers that were given before it. When
 * the pipeline breaks, entries whose acknowledgement did not arrive stay pending, and a later claim tells all
 * again. XDEL goes before XACK: the other way round, a break between the two would leave an entry in the
 * stream that nobody owns.
 */
export function createPublisher({
  redis,
  stream,
  group,
  channelOf,
  log,
}: {
  redis: Redis;
  stream: string;
  group: string;
  channelOf(node: string): string;
  log: BusLog;
}): Publisher {
  let publications: [channel: string, payload: string][] = [];
  let answers = new Map<string, object[]>();
  let finished: string[] = [];
  let scheduled = false;
  const sending = new Set<Promise<void>>();

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    setImmediate(flush);
  }

  function flush(): void {
    scheduled = false;
    const pipeline = redis.pipeline();
    for (const [channel, payload] of publications) pipeline.publish(channel, payload);
    for (const [node, list] of answers) pipeline.publish(channelOf(node), JSON.stringify(list));
    if (finished.length > 0) {
      pipeline.xdel(stream, ...finished);
      pipeline.xack(stream, group, ...finished);
    }
    publications = [];
    answers = new Map();
    finished = [];
    const sent = pipeline.exec().then(
      (results) => {
        const failed = results?.find(([error]) => error !== null)?.[0];
        if (failed) log.error({ reason: reasonOf(failed) }, 'telling the gateways failed');
      },
      (error: Error) => log.error({ reason: reasonOf(error) }, 'telling the gateways failed'),
    );
    sending.add(sent);
    void sent.finally(() => sending.delete(sent));
  }

  return {
    publish(channel, payload) {
      publications.push([channel, payload]);
      schedule();
    },
    answer(node, answer) {
      const list = answers.get(node);
      if (list) list.push(answer);
      else answers.set(node, [answer]);
      schedule();
    },
    finish(entryId) {
      finished.push(entryId);
      schedule();
    },
    async flushed() {
      if (scheduled) await new Promise((resolve) => setImmediate(resolve));
      await Promise.all(sending);
    },
  };
}
