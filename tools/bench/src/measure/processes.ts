import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

export type Usage = {
  /** User and system time of a process, of its living descendants, and of those that have ended. */
  readonly cpuMs: number;
  /** Resident memory of the living processes. */
  readonly residentBytes: number;
};

type Process = {
  readonly pid: number;
  readonly parent: number;
  /** What it has used itself, without its ended children. */
  readonly ownMs: number;
} & Usage;

const isLinux = existsSync('/proc/self/stat');
/** `CLK_TCK` is 100 on every Linux that Node runs on. */
const tickMs = 10;
const pageBytes = 4_096;

/**
 * Sums up trees of processes since they began. It reads /proc on Linux, where it is exact while no thread has ended, and to a
 * hundredth of a second otherwise; and elsewhere ps, which does not know what ended children have used.
 * @param roots the pids of the roots
 */
export function usageOf(roots: readonly number[]): Usage {
  const all = isLinux ? fromProc() : fromPs();
  const children = new Map<number, Process[]>();
  for (const process of all) children.set(process.parent, [...(children.get(process.parent) ?? []), process]);
  const pending = all.filter(({ pid }) => roots.includes(pid));
  let cpuMs = 0;
  let residentBytes = 0;
  for (let process = pending.pop(); process; process = pending.pop()) {
    cpuMs += process.cpuMs + (isLinux ? belowTicksMs(process) : 0);
    residentBytes += process.residentBytes;
    pending.push(...(children.get(process.pid) ?? []));
  }
  return { cpuMs, residentBytes };
}

function fromProc(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        return [parseStat(Number(name), readFileSync(`/proc/${name}/stat`, 'latin1'))];
      } catch {
        // The process has ended since.
        return [];
      }
    });
}

/** proc(5): the fields behind the name, which may hold anything, are numbered from 3. */
function parseStat(pid: number, stat: string): Process {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const field = (number: number) => Number(fields[number - 3]);
  // utime, stime, and cutime, cstime of the children that were waited for
  const ownMs = (field(14) + field(15)) * tickMs;
  const cpuMs = ownMs + (field(16) + field(17)) * tickMs;
  return { pid, parent: field(4), ownMs, cpuMs, residentBytes: field(24) * pageBytes };
}

/**
 * What a process has used beside the whole ticks of its stat, which are rounded down twice: in a turn of some seconds that is a
 * hundredth of all. Its threads know it in nanoseconds. A thread that has ended is in the ticks alone.
 */
function belowTicksMs({ pid, ownMs }: Process): number {
  try {
    const folder = `/proc/${pid}/task`;
    const nanoseconds = readdirSync(folder).map((thread) =>
      Number.parseInt(readFileSync(`${folder}/${thread}/schedstat`, 'latin1'), 10),
    );
    const belowMs = nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6 - ownMs;
    return Math.max(0, belowMs);
  } catch {
    // The process, or one of its threads, has ended since; or the kernel does not tell.
    return 0;
  }
}

function fromPs(): Process[] {
  const text = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,time=,rss='], { encoding: 'utf8' });
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [pid, parent, time = '', kilobytes] = line.trim().split(/\s+/);
      const seconds = time.split(/[:-]/).reduce((sum, part) => sum * 60 + Number(part), 0);
      const cpuMs = seconds * 1_000;
      return {
        pid: Number(pid),
        parent: Number(parent),
        ownMs: cpuMs,
        cpuMs,
        residentBytes: Number(kilobytes) * 1_024,
      };
    });
}
