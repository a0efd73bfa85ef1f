import { readFileSync } from 'node:fs';
import { type Finding, ok, unknown, warning } from './finding.ts';

/** A gateway needs a file for each connection; fewer than this is the default of a shell, not a decision. */
const filesMin = 10_000;
const cure =
  'raise it where the gateway is started: LimitNOFILE= in systemd, ulimits: nofile in compose, ulimit -Hn in a shell';

/** How many files a process may open, so how many connections it can hold. @param pid of this machine */
export function examineFiles(pid: number | 'self', whose: string): Finding {
  const name = 'machine.files';
  const limit = readLimit(pid);
  if (limit === undefined) return unknown(name, `the system does not say how many files ${whose} may open`);
  const text = `${whose} may open ${limit === Number.POSITIVE_INFINITY ? 'any number of' : limit} files, one for each connection`;
  return limit < filesMin ? warning(name, text, cure) : ok(name, text);
}

/** Node raises its soft limit to the hard one. */
function readLimit(pid: number | 'self'): number | undefined {
  try {
    const [, hard] = /^Max open files +\S+ +(\S+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8')) ?? [];
    return hard === 'unlimited' ? Number.POSITIVE_INFINITY : hard === undefined ? undefined : Number(hard);
  } catch {
    return undefined;
  }
}
