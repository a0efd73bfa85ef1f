import {
  ConfigError,
  type ConfigSchema,
  type Environment,
  isSecret,
  readConfig,
  redacted,
} from './config.ts';
import { release } from './release.ts';
import { configOf } from './service.ts';
import { findSuspects, suspectText } from './suspects.ts';

/** What `--config` prints: what a process would start with in this environment, without secrets. */
export type ExplainedConfig = {
  readonly name: string;
  readonly release: string;
  readonly variables: readonly ExplainedVariable[];
  /** Why it would not start; a line each. */
  readonly faults: readonly string[];
  /** What is probably not meant so; a line each. */
  readonly warnings: readonly string[];
};

export type ExplainedVariable = {
  readonly variable: string;
  readonly from: 'environment' | 'default' | 'unset';
  /** As it may be printed. Absent when it is unset. */
  readonly value?: unknown;
};

/** Says what a service would start with. Starts nothing. */
export function explainConfig(
  definition: { readonly name: string; readonly config: ConfigSchema },
  env: Environment = process.env,
): ExplainedConfig {
  const schema = configOf(definition);
  const known = Object.keys(schema.shape);
  const { config, faults } = read(schema, env, definition.name);
  const variables = known.map((variable): ExplainedVariable => {
    const isGiven = env[variable] !== undefined && env[variable] !== '';
    const value = config ? config[variable] : redacted({ [variable]: env[variable] })[variable];
    const shown = isSecret(variable) && value !== undefined ? '***' : value;
    const from = isGiven ? 'environment' : shown === undefined ? 'unset' : 'default';
    return { variable, from, ...(shown === undefined ? {} : { value: shown }) };
  });
  const suspects = findSuspects(env, known, [definition.name]);
  return { name: definition.name, release, variables, faults, warnings: suspects.map(suspectText) };
}

function read(schema: ConfigSchema, env: Environment, name: string) {
  try {
    return { config: redacted(readConfig(schema, env, name)), faults: [] };
  } catch (error) {
    if (error instanceof ConfigError) return { faults: error.faults };
    throw error;
  }
}
