import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { migrate, openDb } from '@hooligram/db';
import { onPostgres } from '@hooligram/local';
import { cases } from '../year/cases.ts';
import { Comparison } from '../year/compare.ts';
import { type Filled, fill, groupsFor, sizesOf } from '../year/fill.ts';
import type { Figures } from './figures.ts';
import type { Trial } from './trial.ts';
import type { Workload } from './workload.ts';

const statementTimeoutMs = 600_000;

/**
 * What statements cost on a year of messages and on nearly none. Two databases beside that of the stack, whose cores look at
 * neither; they are dropped at the end.
 */
export const year: Workload = {
  about: 'what each statement costs with --rows messages of a year, to an empty database; with plans',
  targets: ['ours'],
  notRunning: 'it makes databases of its own',
  besideSeconds: 420,
  trialSecondsMax: 6 * 3_600,
  processes: { gateways: 2, cores: 1 },
  async run(trial) {
    const stores = trial.target.stores?.();
    if (!stores) throw new Error('the database is not ours');
    const urls = ['year_full', 'year_empty'].map((name) => urlOf(stores.databaseUrl, name));
    const [full = '', empty = ''] = urls;
    try {
      return await compare(trial, full, empty);
    } finally {
      await onPostgres(stores.databaseUrl, async (client) => {
        for (const name of ['year_full', 'year_empty']) {
          await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
        }
      });
    }
  },
};

async function compare(trial: Trial, fullUrl: string, emptyUrl: string): Promise<Figures> {
  const { rows, seconds, plansFolder, log } = trial;
  const groups = groupsFor(rows);
  const empty = await prepare(trial, emptyUrl, { groups, rows: 0 });
  const full = await prepare(trial, fullUrl, { groups, rows });
  const sizes = await sizesOf(fullUrl);
  log(
    `messages of the full one: ${inMegabytes(sizes.rows)} of rows, ${inMegabytes(sizes.indexes)} of indexes`,
  );
  const open = (url: string) =>
    openDb({ url, poolSize: 1, statementTimeoutMs, applicationName: 'bench-year' });
  const dbs = [open(fullUrl), open(emptyUrl)] as const;
  rmSync(plansFolder, { recursive: true, force: true });
  mkdirSync(plansFolder, { recursive: true });
  const figures: Record<string, number> = { year_rows: groups * full.lastSeq, year_groups: groups };
  try {
    const comparison = await Comparison.of({ db: dbs[0], filled: full }, { db: dbs[1], filled: empty });
    for (const each of cases) {
      trial.signal.throwIfAborted();
      const { full: cost, empty: base, plans } = await comparison.measure(each, seconds);
      log(
        `${each.about}: ${cost.ms.toFixed(2)} ms and ${cost.blocks} blocks, ${base.ms.toFixed(2)} and ${base.blocks} empty`,
      );
      writeFileSync(join(plansFolder, `${each.name}.txt`), `FULL\n\n${plans[0]}\n\nEMPTY\n\n${plans[1]}\n`);
      Object.assign(figures, {
        [`year_${each.name}_ms`]: cost.ms,
        [`year_${each.name}_empty_ms`]: base.ms,
        [`year_${each.name}_blocks`]: cost.blocks,
        [`year_${each.name}_empty_blocks`]: base.blocks,
        [`year_${each.name}_read`]: cost.read,
      });
    }
  } finally {
    await Promise.all(dbs.map((db) => db.close()));
  }
  log(`plans: ${plansFolder}`);
  return figures;
}

async function prepare(
  { log, signal }: Trial,
  url: string,
  amount: { groups: number; rows: number },
): Promise<Filled> {
  const name = new URL(url).pathname.slice(1);
  await migrate({ url });
  return fill(url, amount, (line) => log(`${name}: ${line}`), signal);
}

function urlOf(databaseUrl: string, name: string): string {
  const url = new URL(databaseUrl);
  url.pathname = `/${name}`;
  return url.href;
}

function inMegabytes(amount: number): string {
  return `${Math.round(amount).toLocaleString('en')} MB`;
}
