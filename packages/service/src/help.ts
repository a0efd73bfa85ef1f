import type { z } from 'zod';
import { type ConfigSchema, isSecret } from './config.ts';

/** The text of `--help`: every variable with its default and its description, taken from the schema. */
export function renderHelp(options: { name: string; summary?: string; config: ConfigSchema }): string {
  const rows = Object.entries(options.config.shape).map(([variable, schema]) => {
    const { fallback, isOptional, description } = describe(schema);
    const value = fallback === undefined ? (isOptional ? 'optional' : 'required') : `default ${fallback}`;
    return { variable, value: isSecret(variable) ? `${value}, secret` : value, description };
  });
  const variableWidth = Math.max(0, ...rows.map((row) => row.variable.length));
  const valueWidth = Math.max(0, ...rows.map((row) => row.value.length));
  return [
    options.summary ? `${options.name}: ${options.summary}` : options.name,
    '',
    'Usage: node main.js [--help]',
    '',
    'Environment variables (an empty one counts as unset):',
    ...rows.map(({ variable, value, description }) =>
      `  ${variable.padEnd(variableWidth)}  ${value.padEnd(valueWidth)}  ${description}`.trimEnd(),
    ),
    '',
  ].join('\n');
}

type Described = {
  readonly fallback: string | undefined;
  readonly isOptional: boolean;
  readonly description: string;
};

// A description may sit on any layer: `port().describe('…').default(1)` as well as `port().default(1).describe('…')`.
function describe(schema: z.ZodType): Described {
  let fallback: string | undefined;
  let isOptional = false;
  let description: string | undefined;
  for (let layer: z.ZodType | undefined = schema; layer; layer = inner(layer)) {
    const def = layer.def as unknown as { type: string; defaultValue?: unknown };
    if (def.type === 'default' || def.type === 'prefault') fallback ??= String(def.defaultValue);
    if (def.type === 'optional') isOptional = true;
    description ??= layer.description;
  }
  return { fallback, isOptional, description: description ?? '' };
}

function inner(schema: z.ZodType): z.ZodType | undefined {
  return (schema.def as unknown as { innerType?: z.ZodType }).innerType;
}
