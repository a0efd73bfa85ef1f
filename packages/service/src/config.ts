import { z } from 'zod';
import { redisAddresses } from './redis-address.ts';
import { divideHosts } from './variables.ts';

/** What an operator has to put right before the process can start: one clear line for each fault. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(faults: string | readonly string[]) {
    const lines = typeof faults === 'string' ? [faults] : faults;
    super(lines.join('\n'));
    this.faults = lines;
  }
}

/** An object schema whose keys are the names of environment variables. */
export type ConfigSchema = z.ZodObject<Record<string, z.ZodType>>;
export type Config<S extends ConfigSchema> = Readonly<z.output<S>>;
export type Environment = Readonly<Record<string, string | undefined>>;

type Joined<S extends readonly ConfigSchema[]> = S extends readonly [
  infer First extends ConfigSchema,
  ...infer Rest extends ConfigSchema[],
]
  ? First['shape'] & Joined<Rest>
  : Record<never, never>;

/**
 * One schema out of several; the rules across fields that each of them carries stay (zod's merge drops them).
 * A variable that several of them name is the last one's.
 */
export function joinConfig<const S extends readonly ConfigSchema[]>(...schemas: S): z.ZodObject<Joined<S>> {
  const joined = z.object(Object.assign({}, ...schemas.map((schema) => schema.shape)));
  const rules = schemas.flatMap((schema) => schema.def.checks ?? []) as z.core.$ZodCheck<unknown>[];
  return (rules.length > 0 ? joined.check(...rules) : joined) as unknown as z.ZodObject<Joined<S>>;
}

/**
 * A rule across fields, for `schema.check(configRule(…))`. It is asked even if a field is bad, so that all
 * faults come at once: a field that is missing or bad is `undefined` here.
 */
export function configRule<C>(
  rule: (config: Partial<C>, fault: (variable: keyof C & string, message: string) => void) => void,
) {
  return z.superRefine<C>(
    (config, context) => {
      const bad = new Set(context.issues.map((issue) => issue.path?.[0]));
      const good = Object.entries(config as object).filter(([name]) => !bad.has(name));
      rule(Object.fromEntries(good) as Partial<C>, (variable, message) => {
        if (!bad.has(variable)) context.addIssue({ code: 'custom', path: [variable], message });
      });
    },
    { when: () => true },
  );
}

/**
 * Reads the variables that the schema names, once, into one frozen object. An empty variable counts as unset.
 * Throws a ConfigError with one line for every bad one.
 */
export function readConfig<S extends ConfigSchema>(
  schema: S,
  env: Environment = process.env,
  name = 'config',
): Config<S> {
  const given: Record<string, string> = {};
  for (const variable of Object.keys(schema.shape)) {
    const text = env[variable];
    if (text !== undefined && text !== '') given[variable] = text;
  }
  const result = schema.safeParse(given, { error: demand });
  if (result.success) return Object.freeze(result.data) as Config<S>;
  const faults = result.error.issues.map(({ path, message }) => {
    const variable = String(path[0] ?? 'the environment');
    const text = given[variable];
    const isShown = text !== undefined && isPrintable(variable, text);
    return `${name}: ${variable} ${message}${isShown ? `, not "${text}"` : ''}`;
  });
  throw new ConfigError(faults);
}

/** What a schema without a text of its own wants of a variable. */
function demand(issue: z.core.$ZodRawIssue): string {
  if (issue.input === undefined) return 'is required';
  if (issue.code === 'invalid_value') return `must be ${issue.values.map(String).join(' or ')}`;
  if (issue.code === 'too_small') return `must have at least ${issue.minimum} characters`;
  if (issue.code === 'too_big') return `must have at most ${issue.maximum} characters`;
  return 'is not valid';
}

/** A wrong value helps the reader of the line, unless it could be a secret or hold one. */
function isPrintable(variable: string, text: string): boolean {
  return !isSecret(variable) && !variable.endsWith('URL') && /^[\w.,+-]{1,40}$/.test(text);
}

/** Whether a variable of this name holds a secret: the one rule for error lines, help and the start's print. */
export function isSecret(variable: string): boolean {
  return /(^|_)(KEY|TOKEN|SECRET|PASSWORD|HEADER|(?<!COUNTRY_)CODE)S?$/.test(variable);
}

/** The config as it may be printed: no keys, tokens, codes, nor passwords inside of URLs. */
export function redacted(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const print = ([variable, value]: [string, unknown]) => {
    if (value === undefined) return [];
    if (isSecret(variable)) return [[variable, '***']];
    return [[variable, typeof value === 'string' ? redisAddresses(value).map(redactedUrl).join() : value]];
  };
  return Object.fromEntries(Object.entries(config).flatMap(print));
}

function redactedUrl(text: string): string {
  const { url, others } = divideHosts(text);
  if (!URL.canParse(url)) return text;
  const parsed = new URL(url);
  if (parsed.password) parsed.password = '***';
  for (const key of [...parsed.searchParams.keys()]) {
    if (/password|token|secret|key$/i.test(key)) parsed.searchParams.set(key, '***');
  }
  const { href, host } = parsed;
  return others === ''
    ? href
    : href.replace(`@${host}`, `@${host}${others}`).replace(`//${host}`, `//${host}${others}`);
}
