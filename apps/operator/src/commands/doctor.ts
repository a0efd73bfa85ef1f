import type { Command } from 'commander';
import { examineAllRedis } from '../doctor/all-redis.ts';
import { examineConfiguration, numberOf } from '../doctor/configuration.ts';
import { examinePostgres } from '../doctor/database.ts';
import type { Finding, Verdict } from '../doctor/finding.ts';
import { examineFiles } from '../doctor/machine.ts';
import { examineNodes } from '../doctor/nodes.ts';
import { examineStandby } from '../doctor/replica.ts';
import { act, exitCodes } from '../program.ts';
import { readRoleConfig, roles } from '../role-config.ts';

const marks = { ok: 'ok      ', warning: 'warning ', fault: 'FAULT   ', unknown: 'unknown ' } as const;

export function addDoctor(program: Command): void {
  act<[], { strict?: boolean; quiet?: boolean }>(
    program
      .command('doctor')
      .summary('examine configuration, machine, Redis, Postgres and nodes, and say how to mend each fault')
      .description(
        `Examines what a gateway and a core would find if they were started here: their configuration, with variables that
nobody reads; the limits of this machine; Redis and Postgres with their settings, the rights of their users, their clocks
and the whole way of a write; and the nodes that run. Nothing that it writes stays. Exit code 1 if there is a fault.`,
      )
      .option('--strict', 'warnings are faults, too')
      .option('--quiet', 'print only what is to be mended'),
    async ({ place, out }, _, { strict = false, quiet = false }) => {
      const configs = await Promise.all(roles.map((role) => readRoleConfig(role, place)));
      const redis = await examineAllRedis(place, numberOf(configs, 'ANSWER_CREDIT_BYTES', 8_388_608));
      const postgres = await examinePostgres(place, {
        statementTimeoutMs: numberOf(configs, 'STATEMENT_TIMEOUT_MS', 4_000),
        poolSize: numberOf(configs, 'DATABASE_POOL', 8),
      });
      const findings = [
        ...examineConfiguration(place, configs),
        examineFiles('self', 'a process that is started here'),
        ...redis.findings,
        ...postgres,
        ...(await examineStandby(place)),
        ...(redis.isOneWell ? await examineNodes(place) : []),
      ];
      const count = (verdict: Verdict) => findings.filter((finding) => finding.verdict === verdict).length;
      const isWell = count('fault') === 0 && !(strict && count('warning') > 0);
      const shown = findings.filter(({ verdict }) => !quiet || verdict === 'fault' || verdict === 'warning');
      out.result({ is_well: isWell, redis_from: place.redisFrom, findings }, [
        ...shown.flatMap(linesOf),
        `${count('fault')} faults, ${count('warning')} warnings`,
      ]);
      return isWell ? exitCodes.done : exitCodes.no;
    },
  );
}

function linesOf({ name, verdict, text, cure }: Finding): string[] {
  return [`${marks[verdict]} ${name.padEnd(21)} ${text}`, ...(cure ? [`${' '.repeat(31)} -> ${cure}`] : [])];
}
