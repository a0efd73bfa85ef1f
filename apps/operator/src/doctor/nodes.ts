import { hostname } from 'node:os';
import type { Place } from '../config.ts';
import { withNodes } from '../nodes.ts';
import type { Shard } from '../stores/shards.ts';
import { type Finding, fault, ok, warning } from './finding.ts';
import { examineFiles } from './machine.ts';
import { compareKeys, examineEchoes } from './signing.ts';

/** Looks at the nodes that run. Redis answers, and its user has all rights. */
export function examineNodes(place: Place): Promise<Finding[]> {
  return withNodes(place, async (nodes, { working }) => {
    // All sign alike: the echoes of one Redis say enough.
    const [{ redis, names }] = working as [Shard, ...Shard[]];
    const statuses = await nodes.statuses();
    const silent = await nodes.silent(statuses);
    const releases = new Set(statuses.map(({ body }) => body.release));
    const missing = (['gateway', 'core'] as const).filter(
      (one) => ![...statuses, ...silent].some(({ role }) => role === one),
    );
    const channels = [...statuses, ...silent].map(({ role, node }) =>
      names[role === 'core' ? 'core' : 'gateway'](node),
    );
    return [
      ...missing.map((role) =>
        warning('nodes.missing', `no ${role} runs`, `start one: node apps/${role}/dist/main.js`),
      ),
      ...statuses.flatMap(({ node, role, body }) =>
        body.failing.map((text) =>
          fault(
            'nodes.ready',
            `the ${role} ${node.slice(0, 8)} (${body.host}:${body.pid}) is not ready: ${text}`,
            `see its log, and /readyz on its port ${body.admin_port}`,
          ),
        ),
      ),
      ...silent.map(({ role, node }) =>
        warning(
          'nodes.silent',
          `the ${role} ${node.slice(0, 8)} is subscribed and does not answer`,
          'it is frozen or overloaded, has other BUS_SIGNING_KEYS, or is of a release without the operator command: look at its host',
        ),
      ),
      ...compareKeys(statuses),
      ...(silent.length > 0 ? await examineEchoes(redis, names, channels, place.signatures) : []),
      ...(releases.size > 1
        ? [
            warning(
              'nodes.releases',
              `the nodes are of ${releases.size} releases: ${[...releases].sort().join(', ')}`,
              'finish the update; two releases one apart work together',
            ),
          ]
        : []),
      ...(statuses.length > 0 ? [ok('nodes.running', `${statuses.length} nodes answer`)] : []),
      // Of the others the operator's machine knows nothing.
      ...statuses
        .filter(({ role, body }) => role === 'gateway' && body.host === hostname())
        .map(({ node, body }) => examineFiles(body.pid, `the gateway ${node.slice(0, 8)}`))
        .filter(({ verdict }) => verdict === 'warning'),
    ];
  });
}
