import type { ExplainedConfig } from '@hooligram/service';
import type { Place } from './config.ts';
import { outputOf } from './role-program.ts';

export const roles = ['gateway', 'core'] as const;

/** @returns what a gateway or a core of this release would start with in this environment: it says so itself */
export async function readRoleConfig(role: (typeof roles)[number], place: Place): Promise<ExplainedConfig> {
  return JSON.parse(await outputOf(role, 'main', ['--config'], place.environment)) as ExplainedConfig;
}
