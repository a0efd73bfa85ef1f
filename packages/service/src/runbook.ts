/** What the names of parts and of conditions of readiness begin with, and where it stands what to do about those. */
const pages: readonly (readonly [start: string, page: string])[] = [
  ['database', 'docs/runbook.md#postgresnotwritable'],
  ['redis', 'docs/runbook.md#redisaway'],
  ['bus', 'docs/runbook.md#redisaway'],
  ['subscriptions', 'docs/runbook.md#redisaway'],
  ['epoch of the database', 'docs/runbook.md#redisaway'],
  ['request ', 'docs/runbook.md#redisaway'],
  ['claims', 'docs/runbook.md#redisaway'],
  ['jobs', 'docs/runbook.md#redisaway'],
  ['schedule keeper', 'docs/runbook.md#redisaway'],
  ['connections', 'docs/runbook.md#gatewayatitslimit'],
  ['messages ', 'docs/runbook.md#canarylosesmessages'],
  ['traces', 'docs/traces.md#when-the-collector-is-away'],
];

/** @returns where people read what to do when this part, or this condition of readiness, fails */
export function seeOf(name: string): string {
  return pages.find(([start]) => name.startsWith(start))?.[1] ?? 'docs/runbook.md';
}
