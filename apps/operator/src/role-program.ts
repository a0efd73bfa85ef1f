import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Environment } from '@hooligram/service';
import { Refusal } from './program.ts';

/** The apps are deployed together and import nothing of each other: what one of them alone knows, it is asked. */
function pathOf(app: 'gateway' | 'core', name: string): string {
  // From src/ and from dist/ alike.
  const path = fileURLToPath(new URL(`../../${app}/dist/${name}.js`, import.meta.url));
  if (!existsSync(path)) throw new Refusal(`${path} is missing: this needs the ${app} beside it, built`);
  return path;
}

/** Runs a program of another app in place of this one. @returns its exit code */
export async function passOn(
  app: 'gateway' | 'core',
  name: string,
  args: readonly string[],
  env: Environment,
) {
  const child = spawn(process.execPath, [pathOf(app, name), ...args], { env: { ...env }, stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  return (code as number | null) ?? 1;
}

/** Runs a program of another app. @returns what it wrote, whatever its exit code */
export async function outputOf(
  app: 'gateway' | 'core',
  name: string,
  args: readonly string[],
  env: Environment,
) {
  const child = spawn(process.execPath, [pathOf(app, name), ...args], {
    env: { ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  await once(child, 'close');
  return output;
}
