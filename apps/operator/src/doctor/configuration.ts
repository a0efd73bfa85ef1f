import { type ExplainedConfig, findSuspects, suspectText } from '@hooligram/service';
import type { Place } from '../config.ts';
import { roles } from '../role-config.ts';
import { type Finding, fault, ok, warning } from './finding.ts';

/** What gateway and core would start with. @param configs of all roles */
export function examineConfiguration(place: Place, configs: readonly ExplainedConfig[]): Finding[] {
  const known = configs.flatMap(({ variables }) => variables.map(({ variable }) => variable));
  const suspects = findSuspects(place.environment, known, roles);
  const faults = new Set(configs.flatMap((config) => config.faults));
  return [
    ...[...faults].map((text) =>
      fault('configuration.value', text, 'set the variable right: hooligram config shows all that is set'),
    ),
    ...suspects.map((suspect) =>
      warning(
        'configuration.unknown',
        suspectText(suspect),
        suspect.meant ? `rename ${suspect.variable} to ${suspect.meant}` : `unset ${suspect.variable}`,
      ),
    ),
    ...(faults.size === 0
      ? [ok('configuration.value', 'gateway and core would start with this environment')]
      : []),
  ];
}

/** A number that a role has, or the number instead. */
export function numberOf(configs: readonly ExplainedConfig[], variable: string, instead: number): number {
  const found = configs.flatMap(({ variables }) => variables).find((one) => one.variable === variable)?.value;
  return typeof found === 'number' ? found : instead;
}
