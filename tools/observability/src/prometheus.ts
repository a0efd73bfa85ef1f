import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findOrInstall, findProgram, RunningProcess, whenReady } from '@hooligram/local';
import { root } from './paths.ts';

const rulesDir = join(root, 'infra/prometheus');
const ruleFiles = ['recording.rules.yml', 'alerts.rules.yml'] as const;
const readyTimeoutMs = 60_000;
/** A range has to hold some scrapes, whatever the scale. */
const scrapesPerRangeMin = 5;
/** As in production, where `for` is two scrapes at least: one that is lost fires nothing. */
const scrapesPendingMin = 2;

export type Alert = {
  readonly name: string;
  readonly state: 'pending' | 'firing';
  readonly instance: string;
};

export type PrometheusOptions = {
  /** Addresses of `/metrics`, as `http://127.0.0.1:9081`. */
  readonly gateways: readonly string[];
  readonly cores: readonly string[];
  readonly canaries?: readonly string[];
  readonly port: number;
  /** For its data and its log; emptied at the start. */
  readonly dir: string;
  readonly scrapeEveryMs: number;
  /** What the durations of the rules are multiplied with: 0.05 makes three seconds of a minute. */
  readonly scale: number;
};

/** Debian's programs. @throws StartError when they are not there and cannot be installed */
export function prometheusProgram(name: 'prometheus' | 'promtool'): Promise<string> {
  return findOrInstall({ name, find: () => findProgram(name), debianPackage: 'prometheus' });
}

/** The repository's rules in a running Prometheus that scrapes these processes. */
export class Prometheus {
  readonly url: string;
  readonly #process: RunningProcess;

  private constructor(url: string, process: RunningProcess) {
    this.url = url;
    this.#process = process;
  }

  static async start(options: PrometheusOptions): Promise<Prometheus> {
    const { port, dir } = options;
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { recursive: true });
    for (const name of ruleFiles) {
      const rules = readFileSync(join(rulesDir, name), 'utf8');
      writeFileSync(join(dir, name), scaledRules(rules, options));
    }
    writeFileSync(join(dir, 'prometheus.yml'), configOf(options));
    const url = `http://127.0.0.1:${port}`;
    const spec = {
      name: 'prometheus',
      command: await prometheusProgram('prometheus'),
      args: [
        `--config.file=${join(dir, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(dir, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=warn',
      ],
      env: process.env,
      logFile: join(dir, 'prometheus.log'),
      stopSignal: 'SIGTERM',
      stopTimeoutMs: 10_000,
      detached: false,
    } as const;
    const running = await RunningProcess.start(spec);
    const isReady = async () => (await fetch(`${url}/-/ready`)).ok;
    try {
      await whenReady(spec, running, { isReady, readyTimeoutMs });
    } catch (error) {
      await running.stop();
      throw error;
    }
    return new Prometheus(url, running);
  }

  /** @returns the values of an instant query. @throws Error with what Prometheus says of the expression */
  async query(expression: string): Promise<number[]> {
    const url = new URL('/api/v1/query', this.url);
    url.searchParams.set('query', expression);
    const answer = (await (await fetch(url)).json()) as {
      status: string;
      error?: string;
      data: { resultType: string; result: { value: [number, string] }[] | [number, string] };
    };
    if (answer.status !== 'success') throw new Error(`${expression}: ${answer.error}`);
    const { resultType, result } = answer.data;
    if (resultType === 'scalar') return [Number((result as [number, string])[1])];
    return (result as { value: [number, string] }[]).map(({ value }) => Number(value[1]));
  }

  async alerts(): Promise<Alert[]> {
    const answer = (await (await fetch(`${this.url}/api/v1/alerts`)).json()) as {
      data: { alerts: { state: Alert['state']; labels: Record<string, string> }[] };
    };
    return answer.data.alerts.map(({ state, labels }) => ({
      name: labels.alertname ?? '',
      state,
      instance: labels.instance ?? '',
    }));
  }

  /** All rules, with why the last evaluation failed, if it did. */
  async rules(): Promise<{ name: string; lastError?: string }[]> {
    const answer = (await (await fetch(`${this.url}/api/v1/rules`)).json()) as {
      data: { groups: { rules: { name: string; lastError?: string }[] }[] };
    };
    return answer.data.groups.flatMap(({ rules }) => rules);
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}

/** The same rules with shorter durations: what lasts minutes in production lasts seconds in a trial. */
export function scaledRules(
  rules: string,
  { scale, scrapeEveryMs }: Pick<PrometheusOptions, 'scale' | 'scrapeEveryMs'>,
): string {
  const scaled = (text: string, leastMs: number) =>
    `${Math.round(Math.max(leastMs, durationMs(text) * scale))}ms`;
  return rules
    .replace(
      /(^ +(?:for|interval): )(\w+)$/gm,
      (_, start: string, text: string) => start + scaled(text, scrapesPendingMin * scrapeEveryMs),
    )
    .replace(
      /\[(\d+[smhd])(:?)\]/g,
      (_, text: string, colon: string) => `[${scaled(text, scrapesPerRangeMin * scrapeEveryMs)}${colon}]`,
    );
}

function durationMs(text: string): number {
  const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
  const [, count, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  if (count === undefined) throw new Error(`no duration: ${text}`);
  return Number(count) * unitMs[unit as keyof typeof unitMs];
}

function configOf({ gateways, cores, canaries = [], scrapeEveryMs }: PrometheusOptions): string {
  const hosts = (urls: readonly string[]) => JSON.stringify(urls.map((url) => new URL(url).host));
  return `global:
  scrape_interval: ${scrapeEveryMs}ms
  scrape_timeout: ${scrapeEveryMs}ms
  evaluation_interval: ${scrapeEveryMs}ms
rule_files: [${ruleFiles.join(', ')}]
scrape_configs:
  - job_name: hooligram-gateway
    static_configs: [{ targets: ${hosts(gateways)} }]
  - job_name: hooligram-core
    static_configs: [{ targets: ${hosts(cores)} }]
  - job_name: hooligram-canary
    static_configs: [{ targets: ${hosts(canaries)} }]
`;
}
