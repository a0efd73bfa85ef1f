/** The figures of one trial, by the names of `units`. */
export type Figures = Readonly<Record<string, number>>;

/**
 * The meaning of each figure; CPU by role is `cpu_<role>_us`, what begins with `hop_` is told by `measure/hops.ts`, what begins
 * with `year_` by `report/year.ts`, `rest_<role>_ms` by `report/sizes.ts`, and `unscraped_<figure>` and
 * `times_<figure>` by `measure/turns.ts`.
 */
export const units: Readonly<Record<string, string>> = {
  messages_per_s: 'committed messages a second',
  rate_times: 'how many times as many were sent as the workload sends usually (--rate-times)',
  piled_up_per_s:
    'messages a second at which jobs or messages began to pile up; messages_per_s: the last rate before',
  deliveries_per_s: 'acknowledged deliveries a second',
  p50_ms: 'latency from send to receipt, median, ms',
  p95_ms: '95th percentile, ms',
  p99_ms: '99th percentile, ms',
  p99_told_ms: '99th percentile while a group of 10,000 is told of a change, again and again, ms',
  p99_sign_in_ms: '99th percentile while a user in 10,000 groups signs in, again and again, ms',
  told_s: 'seconds until 10,000 members were told of a change',
  sign_in_s: 'seconds until a user in 10,000 groups had signed in',
  cpu_us: 'server CPU an acknowledged delivery, all roles, microseconds',
  jobs_per_message: 'jobs added a message',
  entries_per_message: 'stream entries a message, all requests included',
  redis_per_message: 'commands of Redis a message, those inside of scripts included',
  rows_per_message: 'rows that Postgres inserted, updated or deleted a message',
  kilobytes: 'resident memory of the gateways a connection, at rest before the sign-ins and after them, KB',
  kilobytes_soon: 'the same ten seconds after the last sign-in, KB',
  sign_ins_per_s: 'sign-ins a second, groups delivered',
  all_in_s: 'until all clients were back, seconds from the end of their gateway',
  handshakes_refused: 'handshakes that were refused; their clients came again',
  quiet_p99_ms:
    '99th percentile of the others before, mean of windows of 2 s, or 5 beside a slow link; p99_ms: while the clients came back, or what had waited came, ms',
  quiet_p50_ms: 'the same for the median, ms',
  worst_p99_ms: '99th percentile of the others in the worst of those windows, ms',
  waited: 'messages that waited, all of which came, in order, none twice',
  came_s: 'seconds from the sign-in until the last of them had come',
  quiet_mb: 'resident memory of gateways, cores and Redis before, MB',
  after_mb: 'the same when all were back, MB',
  redis_bytes: 'memory of Redis a connection of a user in ten groups, bytes',
  replayed_per_s: 'messages a second to users who reconnect',
  load_cpu_us: 'CPU of the load generator a delivery, microseconds',
  load_share: 'CPU of the load generator, as a share of one core',
  is_saturated: '1: the load generator was the limit, so the server could do more',
};
