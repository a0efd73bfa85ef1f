// Makes dist of what tsc left there: one file of JavaScript that needs no other package, and the types that it exports.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

// Of the protocol, its texts, codes and limits are taken in; its schemas stay out, and zod with them.
await build({
  entryPoints: ['src/index.ts'],
  outfile: 'dist/index.js',
  bundle: true,
  format: 'esm',
  target: 'es2022',
  platform: 'neutral',
  logLevel: 'error',
});

// tsc leaves the names of the sources in its types, which not every consumer's compiler takes.
const needed = new Set();
const follow = (file) => {
  if (needed.has(file)) return;
  needed.add(file);
  const path = join('dist', file);
  const text = readFileSync(path, 'utf8').replaceAll(/(from '\.[^']+)\.ts'/g, "$1.js'");
  writeFileSync(path, text);
  for (const [, name] of text.matchAll(/from '(\.[^']+)\.js'/g)) follow(join(dirname(file), `${name}.d.ts`));
};
follow('index.d.ts');
for (const file of readdirSync('dist', { recursive: true })) {
  if (file.endsWith('.d.ts') && !needed.has(file)) rmSync(join('dist', file));
}
