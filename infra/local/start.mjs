import { readFileSync } from 'node:fs';
import { ensureBuilt } from './bootstrap.mjs';
import { OptionsError, parseOptions, usage } from './options.mjs';
import { passOnTo } from './pass-on.mjs';
import { fail, root } from './step.mjs';

const options = readOptions();
if (options.help) {
  process.stdout.write(usage);
} else if (options.version) {
  process.stdout.write(`${JSON.parse(readFileSync(`${root}package.json`, 'utf8')).version}\n`);
} else {
  const node = await ensureBuilt();
  passOnTo(node, ['tools/local/dist/main.js', JSON.stringify(options)], { ownGroup: true });
}

function readOptions() {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    if (error instanceof OptionsError) fail(error.message);
    throw error;
  }
}
