import type { ExplainedConfig } from '@hooligram/service';
import type { Command } from 'commander';
import { table } from '../output.ts';
import { act, exitCodes, Refusal } from '../program.ts';
import { readRoleConfig, roles } from '../role-config.ts';

type Role = (typeof roles)[number];

export function addConfig(program: Command): void {
  act<[Role | undefined], { all?: boolean }>(
    program
      .command('config')
      .summary('print what a gateway and a core would start with in this environment')
      .description(
        'Prints what a gateway and a core of this release would start with in this environment, and where each value comes from; secrets are left out. Exit code 1 if one of them would not start.',
      )
      .argument('[role]', 'gateway or core')
      .option('--all', 'defaults too, not only what is set'),
    async ({ place, out }, [role], { all = false }) => {
      if (role && !roles.includes(role))
        throw new Refusal(`there is no role ${role}: gateway or core`, exitCodes.usage);
      const configs = await Promise.all((role ? [role] : roles).map((one) => readRoleConfig(one, place)));
      out.result(
        configs,
        configs.flatMap((config) => [...linesOf(config, all), '']),
      );
      return configs.some(({ faults }) => faults.length > 0) ? exitCodes.no : exitCodes.done;
    },
  );
}

function linesOf({ name, release, variables, faults, warnings }: ExplainedConfig, all: boolean): string[] {
  const rows = variables
    .filter(({ from }) => all || from === 'environment')
    .map(({ variable, from, value }) => [variable, String(value ?? ''), from]);
  return [
    `${name} ${release}`,
    ...(rows.length > 0 ? table(['VARIABLE', 'VALUE', 'FROM'], rows) : ['nothing is set: all defaults']),
    ...faults.map((fault) => `fault: ${fault}`),
    ...warnings.map((warning) => `warning: ${warning}`),
  ];
}
