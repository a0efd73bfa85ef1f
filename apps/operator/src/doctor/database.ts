import { type DatabaseFacts, examineDatabase } from '@hooligram/db';
import type { Place } from '../config.ts';
import { clockFinding, type Finding, fault, ok, warning } from './finding.ts';

/** Functions whose body is standard SQL came with it. */
const versionMin = 14;
/** Postgres keeps these back for superusers. */
const reservedConnections = 3;
const migrate = 'DATABASE_URL=… node packages/db/dist/migrations/main.js';

type Wanted = { readonly statementTimeoutMs: number; readonly poolSize: number };

/** Looks at Postgres, or at the pooler before it, as a core needs it. */
export async function examinePostgres({ databaseUrl }: Place, wanted: Wanted): Promise<Finding[]> {
  if (!databaseUrl) {
    return [
      fault(
        'postgres.reachable',
        'no database is named, and no local stack runs',
        'set DATABASE_URL (postgresql://…)',
      ),
    ];
  }
  try {
    return findingsOf(await examineDatabase(databaseUrl, wanted.statementTimeoutMs), wanted);
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    return [
      fault(
        'postgres.reachable',
        `Postgres does not answer: ${message || code} (DATABASE_URL)`,
        cureOf(code) ?? 'start Postgres, or set DATABASE_URL (postgresql://user:password@host:5432/name)',
      ),
    ];
  }
}

function cureOf(code: string | undefined): string | undefined {
  if (code === '28P01' || code === '28000') return 'set the user and the password of DATABASE_URL right';
  return code === '3D000' ? `create the database: ${migrate}` : undefined;
}

function findingsOf(facts: DatabaseFacts, { poolSize }: Wanted): Finding[] {
  const { session, settings } = facts;
  const usable = sessionFinding(session);
  const always = [version(facts), ...durability(settings), ...others(facts, poolSize)];
  if (usable.verdict === 'fault') return [usable, ...always];
  return [usable, ...always, ...rights(facts), writePath(facts)];
}

function version({ version: found }: DatabaseFacts): Finding {
  const name = 'postgres.version';
  if (Number.parseInt(found, 10) >= versionMin) return ok(name, `Postgres ${found}`);
  return fault(name, `Postgres ${found} is too old`, `use Postgres ${versionMin} or later`);
}

function sessionFinding({ pooling, keepsStatements, problem }: DatabaseFacts['session']): Finding {
  const name = 'postgres.session';
  if (problem) return fault(name, problem, cureOfProblem(problem));
  if (pooling === 'transaction' && !keepsStatements) {
    return warning(
      name,
      'a pooler in transaction mode forgets prepared statements: each is planned every time',
      'PgBouncer 1.21 or later with max_prepared_statements = 200',
    );
  }
  const way = pooling === 'direct' ? 'no pooler is between' : `a pooler in ${pooling} mode is between`;
  return ok(name, `${way}; it has the migrations and functions of this release, and takes writes`);
}

function cureOfProblem(problem: string): string {
  if (problem.includes('migrations')) return migrate;
  if (problem.includes('functions')) return `${migrate} --functions`;
  if (problem.includes('pooler'))
    return 'run the ALTER ROLE commands for a role of its own, then restart the pooler';
  return 'let DATABASE_URL lead to the primary; look at default_transaction_read_only of role and database';
}

function durability({ fsync, full_page_writes }: DatabaseFacts['settings']): Finding[] {
  const name = 'postgres.durability';
  if (fsync !== 'on') {
    return [
      fault(
        name,
        'fsync is off: a crash of the machine loses messages that were answered with SUCCESS, or the whole database',
        'ALTER SYSTEM SET fsync = on; SELECT pg_reload_conf();',
      ),
    ];
  }
  if (full_page_writes !== 'on') {
    return [
      fault(
        name,
        'full_page_writes is off: a crash of the machine can break pages for good',
        'ALTER SYSTEM SET full_page_writes = on; SELECT pg_reload_conf();',
      ),
    ];
  }
  return [ok(name, 'what is committed is on disk')];
}

function others(
  { settings, connections, clockAheadMs, roundTripMs }: DatabaseFacts,
  poolSize: number,
): Finding[] {
  const free = Number(settings.max_connections) - reservedConnections - connections;
  return [
    ...(settings.server_encoding === 'UTF8'
      ? []
      : [
          fault(
            'postgres.encoding',
            `its encoding is ${settings.server_encoding}: some messages cannot be stored`,
            "create the database anew with ENCODING 'UTF8'",
          ),
        ]),
    ...(settings.autovacuum === 'on'
      ? []
      : [
          warning(
            'postgres.autovacuum',
            'autovacuum is off: tables grow, and get slow',
            'ALTER SYSTEM SET autovacuum = on; SELECT pg_reload_conf();',
          ),
        ]),
    free >= poolSize
      ? ok('postgres.connections', `${free} connections are free, and a core takes ${poolSize}`)
      : warning(
          'postgres.connections',
          `${free} connections are free, and one more core takes ${poolSize}`,
          'raise max_connections, lower DATABASE_POOL, or put a pooler between',
        ),
    clockFinding('postgres.clock', 'Postgres', clockAheadMs, roundTripMs),
  ];
}

function rights({ missingRights, role }: DatabaseFacts): Finding[] {
  if (missingRights.length === 0) return [];
  return [
    fault(
      'postgres.rights',
      `the role ${role} lacks rights: ${missingRights.join(', ')}`,
      `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO "${role}"; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO "${role}"; or let it own them`,
    ),
  ];
}

function writePath({ writeFault, role }: DatabaseFacts): Finding {
  const name = 'postgres.write-path';
  if (!writeFault) return ok(name, `a transaction of ${role} can write (it was rolled back)`);
  return fault(name, `a transaction cannot write: ${writeFault}`, 'see what Postgres says in its log');
}
