import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { descriptionFiles } from './files.ts';

// Writes docs/protocol again: `npm run build -- --docs`.
const docs = fileURLToPath(new URL('../../../docs/', import.meta.url));
const folder = join(docs, 'protocol');

const files = descriptionFiles(readFileSync(join(docs, 'protocol.md'), 'utf8'));
rmSync(folder, { recursive: true, force: true });
for (const [path, text] of files) {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}
process.stdout.write(`  ${files.size} files in docs/protocol\n`);
