import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
// By path: testkit depends on this package, so this one cannot name it among its dependencies.
import { patienceMs, until } from '../../testkit/src/patience.ts';
import { processIdentity } from '../src/process-identity.ts';
import type { StackDescription } from '../src/stack-file.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

// Not those of `npm start`, nor of the testkit; those of this test run (tools/testkit: global-setup.ts). A
// stack needs a few ports from P on, from P + 1000 on, from P + 1100 on and from P + 1200 on.
export const stackPort = 10_000 + Number(process.env.HOOLIGRAM_TEST_SLOT ?? 0) * 7;

export type LaunchOptions = {
  readonly env?: NodeJS.ProcessEnv;
  /** Through npm, as a user does, in a process group of its own, as a shell does. */
  readonly viaNpm?: boolean;
};

/** `npm start -- <args>`, by default without npm. */
export class Launcher {
  readonly child: ChildProcess;
  #output = '';
  #errors = '';

  constructor(args: readonly string[], { env = {}, viaNpm = false }: LaunchOptions = {}) {
    // What jest has set for itself is not for the stack; what the user has set would change what is tested.
    const cleared = {
      NODE_OPTIONS: undefined,
      NODE_ENV: undefined,
      DATABASE_URL: undefined,
      REDIS_URL: undefined,
    };
    const command = viaNpm ? ['npm', 'start', '--'] : [process.execPath, join(root, 'infra/local/start.mjs')];
    const [program = '', ...rest] = [...command, ...args];
    this.child = spawn(program, rest, {
      cwd: root,
      env: { ...process.env, ...cleared, ...env },
      detached: viaNpm,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (chunk) => {
      this.#output += chunk;
    });
    this.child.stderr?.on('data', (chunk) => {
      this.#errors += chunk;
    });
  }

  get output(): string {
    return this.#output;
  }

  get errors(): string {
    return this.#errors;
  }

  /** Resolves with the exit code, or the signal that ended it. */
  async ended(): Promise<number | string> {
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    // The output may be read after the exit.
    if (!child.stdout?.readableEnded) {
      await Promise.race([once(child, 'close'), pause(patienceMs, undefined, { ref: false })]);
    }
    return child.signalCode ?? child.exitCode ?? -1;
  }

  /** Waits for the word that it works. Each step of a start may take its time on a busy machine. */
  async ready(): Promise<void> {
    const output = () => {
      if (this.child.exitCode !== null) throw new Error(`ended: ${this.#output}${this.#errors}`);
      return this.#output;
    };
    for (let before = output(); !before.includes('is ready'); ) {
      before = await until('it is ready, or a step further', output, (text) => text !== before);
    }
  }
}

export function readStack(dataDir: string): StackDescription {
  return JSON.parse(readFileSync(join(dataDir, 'run/stack.json'), 'utf8')) as StackDescription;
}

export function hasStackFile(dataDir: string): boolean {
  return existsSync(join(dataDir, 'run/stack.json'));
}

export function pidsOf(stack: StackDescription): number[] {
  const { gateways, cores, redises, postgres } = stack;
  return [...gateways, ...cores, ...redises, postgres].map(({ pid }) => pid as number);
}

export function living(pids: readonly number[]): number[] {
  return pids.filter((pid) => processIdentity(pid) !== undefined);
}
