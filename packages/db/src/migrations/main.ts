import { parseArgs } from 'node:util';
import { release } from '@hooligram/service';
import { migrate } from './migrate.ts';

const help = `Creates the database if there is none, and applies the migrations that it lacks, and the SQL functions.

Usage: DATABASE_URL=postgresql://user:password@host:5432/name node packages/db/dist/migrations/main.js [options]

  --dir D        folder of migrations (default: prisma/migrations of this repository)
  --functions    the SQL functions alone: to be run after "prisma migrate deploy"
  --back         put the SQL functions of this release in force although the database has later ones
  --patience S   seconds that a migration may wait for its locks, a second at a time (default: 600)
  --help         this text
  --version      the release

Safe to run again, and from several places at once. Exit code 1 with one line if something is wrong.
`;

try {
  const { values } = parseArgs({
    options: {
      dir: { type: 'string' },
      functions: { type: 'boolean', default: false },
      back: { type: 'boolean', default: false },
      patience: { type: 'string', default: '600' },
      help: { type: 'boolean' },
      version: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(help);
  } else if (values.version) {
    process.stdout.write(`${release}\n`);
  } else {
    const { DATABASE_URL: url } = process.env;
    if (!url) throw new Error('DATABASE_URL is not set: postgresql://user:password@host:5432/database');
    if (!URL.canParse(url)) throw new Error('DATABASE_URL is not a URL');
    const { dir, functions: functionsOnly, back, patience } = values;
    if (!/^\d{1,6}$/.test(patience)) throw new Error('--patience is no number of seconds');
    let lines = 0;
    const log = (line: string) => {
      lines += 1;
      process.stdout.write(`${line}\n`);
    };
    const patienceMs = Number(patience) * 1_000;
    await migrate({ url, log, functionsOnly, back, patienceMs, ...(dir ? { dir } : {}) });
    if (lines === 0) log('nothing to apply');
  }
} catch (error) {
  const { message, code } = error as Error & { code?: string };
  process.stderr.write(`migrate: ${(message || code || String(error)).replaceAll('\n', ' ')}\n`);
  process.exitCode = 1;
}
