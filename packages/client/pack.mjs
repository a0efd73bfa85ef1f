// `npm pack` takes package.json as it is. While it packs, it says only what concerns whoever installs the package.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

const [moment] = process.argv.slice(2);
const [manifest, kept, written] = ['package.json', '.package.json.kept', '.package.json.written'];

// Also what a packing that was killed left behind.
if (existsSync(kept)) renameSync(kept, manifest);
if (moment === 'before') {
  const text = readFileSync(manifest, 'utf8');
  const { scripts: _, devDependencies: __, ...own } = JSON.parse(text);
  const { types, default: code } = own.exports['.'];
  writeFileSync(kept, text);
  writeFileSync(
    written,
    `${JSON.stringify({ ...own, exports: { '.': { types, default: code } } }, null, 2)}\n`,
  );
  // In one step: others may read it in this moment.
  renameSync(written, manifest);
}
