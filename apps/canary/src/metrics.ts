import type { Metrics } from '@hooligram/service';

export type CanaryMetrics = ReturnType<typeof createCanaryMetrics>;

/** From a gateway on the same machine to a message that is nearly lost. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** @param places hosts of CANARY_URLS: the values of the labels `from` and `to` */
export function createCanaryMetrics(metrics: Metrics, places: readonly string[]) {
  return {
    messages: metrics.counter(
      'canary_messages_total',
      'Messages of the canary by the gateway that they were sent through, the gateway that they had to come from, and whether they came in time',
      { from: places, to: places, outcome: ['delivered', 'lost'] },
    ),
    deliverySeconds: metrics.histogram(
      'canary_delivery_seconds',
      'Time from sending a message until the recipient had it, of those that came in time',
      { buckets, labels: { from: places, to: places } },
    ),
    sends: metrics.counter(
      'canary_sends_total',
      'Messages that the canary sent, by the gateway, and whether their sender was told in time that they are committed',
      { from: places, outcome: ['committed', 'failed'] },
    ),
    commitSeconds: metrics.histogram(
      'canary_commit_seconds',
      'Time from sending a message until its sender was told that it is committed',
      { buckets, labels: { from: places } },
    ),
  };
}
