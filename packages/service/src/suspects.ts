import { distance } from 'fastest-levenshtein';
import type { Environment } from './config.ts';

/** A variable of the environment that nobody reads, though it looks as if it were meant for us. */
export type Suspect = { readonly variable: string; readonly meant?: string };

/** What Kubernetes sets for every service of a namespace; one may be called `gateway`. */
const ofKubernetes = /_(SERVICE_(HOST|PORT)(_|$)|PORT_\d+_(TCP|UDP))/;

/**
 * Finds variables that are misspelt or unknown: those that differ by two letters from a known one, and those that begin
 * like a role. A process knows its own variables only, and another role's are often set beside them, so everything else
 * is left alone.
 *
 * @param known names of all variables that are read
 * @param roles such as `gateway`: what begins with `GATEWAY_` is meant for it
 */
export function findSuspects(
  env: Environment,
  known: readonly string[],
  roles: readonly string[],
): readonly Suspect[] {
  const isKnown = new Set(known);
  const prefixes = roles.map((role) => `${role.toUpperCase()}_`);
  return Object.keys(env)
    .filter((variable) => !isKnown.has(variable) && env[variable] !== '' && !ofKubernetes.test(variable))
    .sort()
    .flatMap((variable) => {
      const meant = nearest(variable.toUpperCase(), known);
      if (meant) return [{ variable, meant }];
      return prefixes.some((prefix) => variable.toUpperCase().startsWith(prefix)) ? [{ variable }] : [];
    });
}

/** One line for an operator. */
export function suspectText({ variable, meant }: Suspect): string {
  return meant
    ? `nothing reads the variable ${variable}: did you mean ${meant}?`
    : `nothing reads the variable ${variable} (see --help)`;
}

function nearest(variable: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((name) => ({ name, letters: distance(variable, name) }))
    .filter(({ name, letters }) => letters <= (name.length < 10 ? 1 : 2))
    .sort((one, other) => one.letters - other.letters);
  return best?.name;
}
