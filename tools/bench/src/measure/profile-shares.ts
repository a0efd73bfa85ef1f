import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Roles } from './roles.ts';

/** What V8's profiler writes, as far as it is read here. */
export type CpuProfile = {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
};

/** Microseconds: what an owner's own JavaScript took, and what Node and the system took for it. */
type Cost = { own: number; below: number };

/** All time of one role that was not idle. */
type Costs = {
  busyUs: number;
  readonly owners: Map<string, Cost>;
  readonly functions: Map<string, number>;
};

const ownersMax = 14;
const functionsMax = 12;

/**
 * Where the processes of each role spent what they did not wait: who caused it, and the functions that took most. Native
 * code and Node's own belong to whoever called them.
 * @param folder holds `<program>-<pid>-<number>.cpuprofile`; profiles of a number were taken together
 */
export function profileLines(folder: string, roles: Roles): string[] {
  const files = readdirSync(folder).flatMap((name) => {
    const [, pid, number] = /-(\d+)-(\d+)\.cpuprofile$/.exec(name) ?? [];
    return pid === undefined ? [] : [{ name, pid: Number(pid), number: Number(number) }];
  });
  const numbers = [...new Set(files.map(({ number }) => number))].toSorted((one, other) => one - other);
  return numbers.flatMap((number) =>
    Object.entries(roles).flatMap(([role, pids]) => {
      const own = files.filter((file) => file.number === number && pids.includes(file.pid));
      if (own.length === 0) return [];
      const profiles = own.map(
        ({ name }) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as CpuProfile,
      );
      return linesOf(numbers.length > 1 ? `${role}, profile ${number}` : role, costsOf(profiles));
    }),
  );
}

export function costsOf(profiles: readonly CpuProfile[]): Costs {
  const costs: Costs = { busyUs: 0, owners: new Map(), functions: new Map() };
  for (const profile of profiles) addProfile(costs, profile);
  return costs;
}

function addProfile(costs: Costs, { nodes, samples, timeDeltas }: CpuProfile): void {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parentOf = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const selfUs = new Map<number, number>();
  for (const [index, id] of samples.entries()) {
    selfUs.set(id, (selfUs.get(id) ?? 0) + (timeDeltas[index] ?? 0));
  }
  for (const [id, us] of selfUs) {
    const frame = byId.get(id)?.callFrame;
    if (!frame || frame.functionName === '(idle)') continue;
    let at: number | undefined = id;
    let owner: string | undefined;
    while (at !== undefined && owner === undefined) {
      owner = ownerOf(byId.get(at)?.callFrame.url ?? '');
      at = parentOf.get(at);
    }
    // The profiler's own start.
    if (owner?.startsWith('tools/')) continue;
    costs.busyUs += us;
    const isOwn = ownerOf(frame.url) !== undefined;
    const name = owner ?? (frame.functionName.startsWith('(') ? frame.functionName : 'Node');
    const cost = costs.owners.get(name) ?? { own: 0, below: 0 };
    costs.owners.set(name, cost);
    cost[isOwn || owner === undefined ? 'own' : 'below'] += us;
    const where = isOwn ? ` ${placeOf(frame)}` : owner === undefined ? '' : ` for ${name}`;
    const place = `${frame.functionName || '(anonymous)'}${where}`;
    costs.functions.set(place, (costs.functions.get(place) ?? 0) + us);
  }
}

/** @returns undefined for Node itself and for native code */
function ownerOf(url: string): string | undefined {
  const library = url.split('/node_modules/').at(-1);
  if (library !== undefined && library !== url) return /^(?:@[^/]+\/)?[^/]+/.exec(library)?.[0];
  const [, folder, rest] = /\/((?:apps|packages|tools)\/[^/]+)\/(?:dist|src)\/(.*)$/.exec(url) ?? [];
  if (folder === undefined) return undefined;
  const inner = rest?.includes('/') ? `/${rest.split('/')[0]}` : '';
  return `${folder}${inner}`;
}

function placeOf({ url, lineNumber }: { url: string; lineNumber: number }): string {
  return `${url.split('/').slice(-2).join('/')}:${lineNumber + 1}`;
}

function linesOf(title: string, { busyUs, owners, functions }: Costs): string[] {
  const share = (us: number) => `${((100 * us) / busyUs).toFixed(1).padStart(5)} %`;
  const total = ({ own, below }: Cost) => own + below;
  const ofOwners = [...owners]
    .toSorted(([, one], [, other]) => total(other) - total(one))
    .slice(0, ownersMax);
  const ofFunctions = [...functions].toSorted(([, one], [, other]) => other - one).slice(0, functionsMax);
  return [
    `${title}: ${Math.round(busyUs / 1_000)} ms busy`,
    ...ofOwners.map(([name, cost]) => {
      const below = cost.below > 0 ? `, ${share(cost.below).trim()} in Node and the system` : '';
      return `  ${share(total(cost))} ${name}${below}`;
    }),
    '  functions:',
    ...ofFunctions.map(([name, us]) => `  ${share(us)} ${name}`),
  ];
}
