import type { Board } from './board.ts';
import { quantiles, rate, sum } from './queries.ts';

/** What waits, and what it costs. */
export const insideBoard: Board = {
  uid: 'hooligram-inside',
  title: 'Hooligram: inside',
  about: 'What waits, what fails, and what it costs.',
  rows: [
    {
      title: 'Ready',
      panels: [
        {
          title: 'Checks that fail',
          about: 'Of /readyz, by process.',
          unit: 'short',
          queries: [['hooligram_ready == 0', '{{instance}} {{check}}']],
        },
        {
          title: 'What runs',
          about: 'Releases, and the layout of what gateways and cores send each other.',
          unit: 'short',
          queries: [
            [
              'count by (role, version, contract) (hooligram_build_info)',
              '{{role}} {{version}} contract {{contract}}',
            ],
          ],
        },
        {
          title: 'Draining',
          about: 'Processes that stop in order.',
          unit: 'short',
          queries: [['hooligram_draining == 1', '{{instance}}']],
        },
      ],
    },
    {
      title: 'Redis',
      panels: [
        {
          title: 'Round trip of a write',
          about: 'Slow before it is dead.',
          unit: 's',
          queries: quantiles('hooligram_redis_write_seconds', ''),
        },
        {
          title: 'Request stream',
          about:
            'Entries that no core has taken: cores are too few. Those that a core has taken and not ended.',
          unit: 'short',
          queries: [
            ['max(hooligram_core_stream_lag)', 'not taken'],
            ['max(hooligram_core_stream_pending)', 'taken, not ended'],
          ],
        },
        {
          title: 'Age of the oldest request',
          about:
            'If the oldest of all is one that a core has taken, that core waits for something, or is frozen.',
          unit: 's',
          queries: [
            ['max(hooligram_core_stream_oldest_seconds)', 'of all'],
            ['max(hooligram_core_stream_oldest_pending_seconds)', 'of those that a core has taken'],
          ],
        },
        {
          title: 'Connections that are gone',
          about:
            'Those to Redis by process and use, those of the workers of BullMQ among them; and to Postgres.',
          unit: 'short',
          queries: [
            ['hooligram_redis_connected == 0', '{{instance}} Redis {{connection}} {{redis}}'],
            ['hooligram_core_database_connected == 0', '{{instance}} Postgres'],
          ],
        },
        {
          title: 'Reconnects and refused writes',
          about: 'Connections that were made again; writes that Redis refused, by its error code.',
          unit: 'ops',
          queries: [
            [sum(rate('hooligram_redis_reconnects_total'), 'connection'), 'again: {{connection}}'],
            [sum(rate('hooligram_redis_writes_refused_total'), 'code, redis'), 'refused: {{code}} {{redis}}'],
          ],
        },
      ],
    },
    {
      title: 'Postgres',
      panels: [
        {
          title: 'The slowest hundredth of statements',
          about: 'By name; the wait for a connection is part of it, and those that fail are among them.',
          unit: 's',
          queries: [
            [
              `histogram_quantile(0.99, ${sum(rate('hooligram_core_database_statement_seconds_bucket'), 'statement, le')})`,
              '{{statement}}',
            ],
          ],
        },
        {
          title: 'Connections',
          about: 'Statements that wait mean that DATABASE_POOL is the brake.',
          unit: 'short',
          queries: [
            [
              'sum by (instance) (hooligram_core_database_connections - hooligram_core_database_connections_idle)',
              '{{instance}} in use',
            ],
            ['sum by (instance) (hooligram_core_database_waiting)', '{{instance}} waiting'],
          ],
        },
        {
          title: 'Restarts of stores',
          about:
            'Another server of Redis or Postgres answered than before, or Redis had lost its data. All cores report the same; of several Redis each has its line, by its place in the list.',
          unit: 'ops',
          queries: [
            [`max by (redis) (${rate('hooligram_core_redis_restarts_total')})`, 'Redis {{redis}}'],
            [`max by (redis) (${rate('hooligram_core_redis_emptied_total')})`, 'Redis {{redis}} was emptied'],
            [`max(${rate('hooligram_core_database_restarts_total')})`, 'Postgres'],
          ],
        },
        {
          title: 'Lost races, locks, slow batches',
          about: 'Statements that ran again, found a row locked, or reached their timeout.',
          unit: 'ops',
          queries: [
            [sum(rate('hooligram_core_database_reruns_total')), 'ran again'],
            [sum(rate('hooligram_core_lock_timeouts_total')), 'locked'],
            [sum(rate('hooligram_core_batches_split_total')), 'timeout'],
          ],
        },
      ],
    },
    {
      title: 'What is read elsewhere, deleted, and refused',
      panels: [
        {
          title: 'Pages of replays and of the sweep, by who answered',
          about: 'The replica of Postgres, or the primary, and why. Nothing without a replica.',
          unit: 'ops',
          queries: [
            [sum(rate('hooligram_core_replica_pages_total'), 'outcome'), '{{outcome}}'],
            [sum(rate('hooligram_core_replica_sweep_pages_total'), 'outcome'), 'sweep: {{outcome}}'],
          ],
        },
        {
          title: 'Upkeep',
          about: 'Rows that were deleted because their time had come, and portions of that which failed.',
          unit: 'ops',
          queries: [
            [sum(rate('hooligram_core_upkeep_deleted_total'), 'what'), '{{what}}'],
            [sum(rate('hooligram_core_upkeep_failures_total')), 'failed'],
          ],
        },
        {
          title: 'Refused for what it was',
          about: 'By limits on one client; and in Redis, what no known key had signed or nobody could read.',
          unit: 'ops',
          queries: [
            [sum(rate('hooligram_gateway_limited_total'), 'limit'), 'limit: {{limit}}'],
            [sum(rate('hooligram_gateway_signatures_refused_total')), 'not signed, gateways'],
            [sum(rate('hooligram_core_signatures_refused_total')), 'not signed, cores'],
            [sum(rate('hooligram_gateway_publications_unreadable_total')), 'unreadable, gateways'],
            [sum(rate('hooligram_core_entries_unreadable_total')), 'unreadable, cores'],
          ],
        },
      ],
    },
    {
      title: 'Retries',
      panels: [
        {
          title: 'Users who have not acknowledged in time',
          about: 'Connected, and with a redelivery job.',
          unit: 'short',
          queries: [['max(hooligram_core_users_overdue)', 'users']],
        },
        {
          title: 'Since when',
          about: 'The one who has not acknowledged for longest.',
          unit: 's',
          queries: [['max(hooligram_core_redelivery_oldest_seconds)', 'the oldest']],
        },
        {
          title: 'Attempts to deliver again',
          about:
            'First ones: somebody was late. Many that are later in a row: a client that acknowledges nothing.',
          unit: 'ops',
          queries: [
            [sum(rate('hooligram_core_redelivery_tries_bucket', '{le=~"1|1.0"}')), 'first'],
            [
              `${sum(rate('hooligram_core_redelivery_tries_count'))} - ${sum(rate('hooligram_core_redelivery_tries_bucket', '{le=~"3|3.0"}'))}`,
              'fourth in a row, or later',
            ],
          ],
        },
        {
          title: 'Jobs that are late',
          about: 'How long the oldest has been due.',
          unit: 's',
          queries: [
            ['max by (queue) (hooligram_core_job_overdue_seconds)', '{{queue}}'],
            ['max(hooligram_core_delivery_check_overdue_seconds)', 'checks of groups'],
          ],
        },
        {
          title: 'Sweep',
          about: 'Since it last reached the end of all groups.',
          unit: 's',
          queries: [['max(hooligram_core_sweep_age_seconds)', 'age']],
        },
      ],
    },
    {
      title: 'Cost',
      panels: [
        {
          title: 'CPU of an acknowledged delivery',
          about: 'Of the whole server, by part. Postgres needs an exporter (infra/prometheus).',
          unit: 's',
          queries: [['hooligram:cpu_seconds_per_delivery:rate5m', '{{part}}']],
        },
        {
          title: 'Event loop, slowest hundredth',
          about: 'How long a process is stalled at a time.',
          unit: 's',
          queries: [['nodejs_eventloop_lag_p99_seconds', '{{instance}}']],
        },
        {
          title: 'Memory and unread bytes',
          about: 'Of each process; and what clients of a gateway have not read.',
          unit: 'bytes',
          queries: [
            ['process_resident_memory_bytes{job=~"hooligram-.*"}', '{{instance}}'],
            ['hooligram_gateway_socket_buffers_bytes', '{{instance}} unread'],
          ],
        },
        {
          title: 'Clients that have not read all',
          about: 'One that reads nothing, or a network that is slow for many.',
          unit: 'short',
          queries: [['hooligram_gateway_connections_behind', '{{instance}}']],
        },
        {
          title: 'Open files, of their limit',
          about: 'A gateway near 1 takes nobody any more.',
          unit: 'percentunit',
          queries: [['process_open_fds{job=~"hooligram-.*"} / process_max_fds', '{{instance}}']],
        },
        {
          title: 'Certificates run out in',
          about: 'Of gateways that have one. SIGHUP makes a gateway read a new one.',
          unit: 's',
          queries: [['hooligram_gateway_certificate_expires_seconds - time()', '{{instance}}']],
        },
      ],
    },
  ],
};
