// Finds circles of imports, type imports too: node infra/local/circles.mjs <most files in one> <folder> ...
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const importPattern = /(?:\bfrom|\bimport|\bimport\()\s*'(\.[^']+)'/g;

const [most, ...folders] = process.argv.slice(2);
const tooLarge = folders
  .flatMap((folder) => circlesOf(importsIn(folder)))
  .filter(({ length }) => length > most);
for (const circle of tooLarge) {
  process.stdout.write(`${circle.length} files import each other, at most ${most} may:\n`);
  for (const file of circle.sort()) process.stdout.write(`  ${file}\n`);
}
process.exitCode = tooLarge.length > 0 ? 1 : 0;

/** @returns by file, the files that it imports; tests apart */
function importsIn(folder) {
  const files = readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => join(folder, name));
  const importsOf = (file) =>
    [...readFileSync(file, 'utf8').matchAll(importPattern)].map(([, path]) =>
      normalize(join(dirname(file), path)),
    );
  return new Map(files.map((file) => [file, importsOf(file)]));
}

/**
 * Tarjan's algorithm: files of which each reaches each other one by its imports.
 * @param {Map<string, string[]>} imports
 */
function circlesOf(imports) {
  const circles = [];
  const order = new Map();
  const lowest = new Map();
  const open = [];
  const visit = (file) => {
    order.set(file, order.size);
    lowest.set(file, order.get(file));
    open.push(file);
    for (const imported of imports.get(file)) {
      if (!imports.has(imported)) continue;
      if (!order.has(imported)) visit(imported);
      if (open.includes(imported)) lowest.set(file, Math.min(lowest.get(file), lowest.get(imported)));
    }
    if (lowest.get(file) === order.get(file)) circles.push(open.splice(open.indexOf(file)));
  };
  for (const file of imports.keys()) if (!order.has(file)) visit(file);
  return circles;
}
