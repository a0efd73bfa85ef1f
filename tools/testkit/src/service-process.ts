import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import {
  forgetProcess,
  type ProcessSpec,
  RunningProcess,
  recordProcess,
  serviceSpec,
  whenReady,
} from '@hooligram/local';
import { getOnce } from './metrics.ts';
import { patienceMs, startPatienceMs } from './patience.ts';
import { logDir, pidsDir } from './test-run.ts';

/** A process that is frozen answers nothing. */
const answerTimeoutMs = 10_000;

/** A gateway or a core of a test system: the built program, as in production. */
export class ServiceProcess {
  readonly name: string;
  readonly adminUrl: string;
  /** Where it is reached alone; empty for a core. */
  readonly url: string;
  readonly #spec: ProcessSpec;
  #process: RunningProcess | undefined;

  /** @param openFilesMax how many files it may have open; default: as many as the test */
  constructor(
    app: 'gateway' | 'core',
    name: string,
    adminUrl: string,
    url: string,
    env: NodeJS.ProcessEnv,
    openFilesMax?: number,
  ) {
    this.name = name;
    this.adminUrl = adminUrl;
    this.url = url;
    const spec = serviceSpec(app, name, logDir(), env);
    this.#spec = {
      ...spec,
      ...(openFilesMax === undefined ? {} : withOpenFiles(openFilesMax, spec)),
      stopTimeoutMs: patienceMs,
      // With jest in one group: Ctrl-C ends a run with all that it started.
      detached: false,
    };
  }

  get process(): RunningProcess {
    if (!this.#process) throw new Error(`${this.name} was never started`);
    return this.#process;
  }

  get isRunning(): boolean {
    return this.#process?.isRunning() === true;
  }

  get pid(): number {
    return this.process.pid;
  }

  /** Starts it, also again after it has ended, and waits until it is ready. */
  async start(): Promise<void> {
    if (this.isRunning) throw new Error(`${this.name} is running`);
    this.#process = await RunningProcess.start(this.#spec);
    recordProcess(pidsDir(), this.name, this.#process.pid, 'SIGKILL');
    await this.whenReady();
    this.#noteUntoldEnd(this.#process);
  }

  /**
   * Says in its log and on the test's standard error that it has ended although the test has not told it to. Before
   * it is ready, `start` says so.
   */
  #noteUntoldEnd(running: RunningProcess): void {
    void running.exited.then((how) => {
      // Without its file the run has ended, and with it all processes.
      if (running.wasToldToEnd || !existsSync(this.#spec.logFile)) return;
      const { pid } = running;
      const msg = `${this.name} ended, and the test has not told it to: ${how}`;
      const line = { level: 'error', time: new Date().toISOString(), pid, name: 'testkit', msg };
      appendFileSync(this.#spec.logFile, `${JSON.stringify(line)}\n`);
      process.stderr.write(`${msg} (pid ${pid})\n`);
    });
  }

  async whenReady(): Promise<void> {
    await whenReady(this.#spec, this.process, {
      isReady: () => this.isReady(),
      readyTimeoutMs: startPatienceMs,
    });
  }

  async isReady(): Promise<boolean> {
    const url = new URL('/readyz', this.adminUrl);
    return (await getOnce(url, AbortSignal.timeout(answerTimeoutMs))).ok;
  }

  /** Lets it end by itself, as a deployment does. */
  async stop(): Promise<void> {
    await this.#process?.stop();
    forgetProcess(pidsDir(), this.name);
  }

  /** Ends it without a word, and waits until it is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.process.kill(signal);
    await this.process.exited;
    forgetProcess(pidsDir(), this.name);
  }

  /** Ends it without a word, in whatever state it is. */
  async end(): Promise<void> {
    if (this.#process) await this.kill();
  }

  /** Stops it in its tracks, as a machine without CPU does; SIGCONT by resume. */
  freeze(): void {
    this.process.kill('SIGSTOP');
  }

  resume(): void {
    this.process.kill('SIGCONT');
  }

  /** All that it wrote, also before it was started again. */
  log(): string {
    return existsSync(this.#spec.logFile) ? readFileSync(this.#spec.logFile, 'utf8') : '';
  }
}

function withOpenFiles(
  max: number,
  { command, args }: Pick<ProcessSpec, 'command' | 'args'>,
): Pick<ProcessSpec, 'command' | 'args'> {
  return { command: '/bin/sh', args: ['-c', `ulimit -n ${max} && exec "$0" "$@"`, command, ...args] };
}
