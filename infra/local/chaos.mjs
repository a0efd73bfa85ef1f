import { ensureBuilt } from './bootstrap.mjs';
import { passOnTo } from './pass-on.mjs';

const node = await ensureBuilt();
passOnTo(node, ['apps/chaos/dist/main.js', ...process.argv.slice(2)], { ownGroup: true });
