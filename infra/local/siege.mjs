import { ensureBuilt } from './bootstrap.mjs';
import { passOnTo } from './pass-on.mjs';

const node = await ensureBuilt();
passOnTo(node, ['tools/chaos/dist/siege/main.js', ...process.argv.slice(2)], { ownGroup: true });
