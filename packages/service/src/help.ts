import { z } from 'zod';
import { type ConfigSchema, isSecret } from './config.ts';

/** The text of `--help`: every variable with its default and its description, taken from the schema. */
export function renderHelp(options: { name: string; summary?: string; config: ConfigSchema }): string {
  const { properties = {}, required = [] } = z.toJSONSchema(options.config, { io: 'input' });
  const rows = Object.entries(options.config.shape).map(([variable, schema]) => {
    const { defaultValue: fallback } = schema.def as { defaultValue?: unknown };
    const { description = '', enum: words } = properties[variable] as {
      description?: string;
      enum?: readonly string[];
    };
    const need = required.includes(variable) ? 'required' : 'optional';
    const value = fallback === undefined ? need : `default ${fallback}`;
    return {
      variable,
      value: isSecret(variable) ? `${value}, secret` : value,
      description: words ? `${description} (${words.join(', ')})` : description,
    };
  });
  const variableWidth = Math.max(0, ...rows.map((row) => row.variable.length));
  const valueWidth = Math.max(0, ...rows.map((row) => row.value.length));
  return [
    options.summary ? `${options.name}: ${options.summary}` : options.name,
    '',
    'Usage: node main.js [--help | --version | --config | --metrics]',
    '',
    'Environment variables (an empty one counts as unset):',
    ...rows.map(({ variable, value, description }) =>
      `  ${variable.padEnd(variableWidth)}  ${value.padEnd(valueWidth)}  ${description}`.trimEnd(),
    ),
    '',
  ].join('\n');
}
