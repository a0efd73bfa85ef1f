import { ensureBuilt } from './bootstrap.mjs';
import { passOnTo } from './pass-on.mjs';

const node = await ensureBuilt();
passOnTo(node, ['apps/operator/dist/main.js', ...process.argv.slice(2)]);
