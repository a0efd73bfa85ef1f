import { type Board, firingAlerts } from './board.ts';
import { quantiles, rate, sum } from './queries.ts';

/** What users get, and what fails. */
export const serviceBoard: Board = {
  uid: 'hooligram-service',
  title: 'Hooligram: service',
  about: 'What users get. The runbook is docs/runbook.md.',
  rows: [
    {
      title: 'Now',
      panels: [
        {
          title: 'Alerts that fire',
          about: 'Each has a section of its name in docs/runbook.md.',
          unit: 'short',
          queries: [[firingAlerts, '{{alertname}} {{instance}}']],
        },
        {
          title: 'Connections and users',
          about:
            'A fall that no alert explains is in front of the gateways: load balancer, certificate, DNS.',
          unit: 'short',
          queries: [
            ['hooligram:connections:sum', 'connections'],
            ['sum(hooligram_gateway_users)', 'users signed in'],
          ],
        },
        {
          title: 'Requests whose outcome is not known',
          about: 'Of clients and of gateways, as a part of all. Clients repeat them.',
          unit: 'percentunit',
          queries: [['hooligram:core_requests_unknown:ratio5m', 'unknown']],
        },
      ],
    },
    {
      title: 'Deliveries',
      panels: [
        {
          title: 'Commit to acknowledgement, live',
          about: 'How long a message takes to a connected user, from its commit to the acknowledgement.',
          unit: 's',
          queries: quantiles('hooligram_gateway_delivery_seconds', '{path="live"}'),
        },
        {
          title: 'The slowest hundredth, by path',
          about: 'A replay brings what a user missed, a retry what was not acknowledged in time.',
          unit: 's',
          queries: [['hooligram:delivery_seconds:p99_5m', '{{path}}']],
        },
        {
          title: 'Acknowledgements and messages',
          about: 'Acknowledged deliveries a second, and messages that were published, once a gateway.',
          unit: 'ops',
          queries: [
            ['hooligram:acknowledged:rate5m', 'acknowledged'],
            [sum(rate('hooligram_gateway_messages_published_total')), 'published'],
            [sum(rate('hooligram_gateway_messages_replayed_total')), 'replayed'],
            [sum(rate('hooligram_gateway_messages_redelivered_total')), 'sent again'],
          ],
        },
      ],
    },
    {
      title: 'Canary',
      panels: [
        {
          title: 'Messages of the canary that are lost',
          about: 'By path: the gateway that they were sent through, and the one that they had to come from.',
          unit: 'percentunit',
          queries: [['hooligram:canary_lost:ratio5m', '{{from}} to {{to}}']],
        },
        {
          title: 'The slowest hundredth of the canary',
          about: 'From sending a message until the recipient has it, by path.',
          unit: 's',
          queries: [['hooligram:canary_delivery_seconds:p99_5m', '{{from}} to {{to}}']],
        },
        {
          title: 'What came in time in thirty days',
          about: 'Of all messages of the canary. The objective is 99.9 %.',
          unit: 'percentunit',
          queries: [['hooligram:canary_delivered:ratio30d', 'all paths']],
        },
        {
          title: 'What the canary is told',
          about: 'Messages whose sender was told in time that they are committed, or was not.',
          unit: 'ops',
          queries: [[sum(rate('hooligram_canary_sends_total'), 'from, outcome'), '{{from}} {{outcome}}']],
        },
      ],
    },
    {
      title: 'Requests',
      panels: [
        {
          title: 'Answer to a message',
          about: 'From the request of a gateway to the outcome from a core.',
          unit: 's',
          queries: quantiles('hooligram_gateway_core_request_seconds', '{type="MESSAGING_SEND"}'),
        },
        {
          title: 'Requests that did not succeed',
          about: 'failure: a rule refused it. busy: certainly not done. unknown: no answer in time.',
          unit: 'ops',
          queries: [
            [
              sum(rate('hooligram_gateway_core_requests_total', '{outcome!="success"}'), 'type, outcome'),
              '{{type}} {{outcome}}',
            ],
          ],
        },
        {
          title: 'Refused without asking a core',
          about: 'Too many wait.',
          unit: 'ops',
          queries: [[sum(rate('hooligram_gateway_requests_shed_total'), 'cause'), 'too many: {{cause}}']],
        },
        {
          title: 'Requests that could not be written',
          about:
            'full: the stream is too long. refused: Redis takes no writes. unsent: not connected. uncertain: the connection broke before the answer.',
          unit: 'ops',
          queries: [[sum(rate('hooligram_gateway_request_writes_failed_total'), 'reason'), '{{reason}}']],
        },
      ],
    },
    {
      title: 'Connections and sign-ins',
      panels: [
        {
          title: 'Connections by gateway',
          about: 'A new gateway is empty until people come.',
          unit: 'short',
          queries: [['hooligram_gateway_connections', '{{instance}}']],
        },
        {
          title: 'Connections that end',
          about: 'By close code, and by who ended them.',
          unit: 'ops',
          queries: [[sum(rate('hooligram_gateway_connections_closed_total'), 'code, by'), '{{code}} {{by}}']],
        },
        {
          title: 'Sign-ins',
          about:
            'By outcome. failure: a wrong number or code. limited: refused by a limit, whatever the code was.',
          unit: 'ops',
          queries: [[sum(rate('hooligram_gateway_sign_ins_total'), 'outcome'), '{{outcome}}']],
        },
        {
          title: 'A sign-in takes',
          about: 'From the request until the states of all groups were sent.',
          unit: 's',
          queries: quantiles('hooligram_gateway_sign_in_seconds', ''),
        },
        {
          title: 'Codes',
          about: 'Requested of the provider, sent by it, converted into a credential.',
          unit: 'ops',
          queries: [[sum(rate('hooligram_core_codes_total'), 'event'), '{{event}}']],
        },
        {
          title: 'Codes that were submitted',
          about: 'By verdict. Many wrong ones: somebody guesses. Many that expired: they come late.',
          unit: 'ops',
          queries: [[sum(rate('hooligram_core_codes_submitted_total'), 'verdict'), '{{verdict}}']],
        },
        {
          title: 'Waiting to get in',
          about:
            'A storm of clients that come back, gateways that are late, or what was missed while a Redis was away.',
          unit: 'short',
          queries: [
            [sum('hooligram_gateway_handshakes_waiting'), 'handshakes'],
            [sum('hooligram_gateway_sign_ins_waiting'), 'sign-ins'],
            [sum('hooligram_gateway_catch_ups_waiting'), 'groups and connections that missed something'],
          ],
        },
        {
          title: 'Handshakes refused',
          about: 'Before there is a connection.',
          unit: 'ops',
          queries: [[sum(rate('hooligram_gateway_upgrades_refused_total'), 'reason'), '{{reason}}']],
        },
      ],
    },
  ],
};
