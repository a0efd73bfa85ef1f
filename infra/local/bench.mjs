import { ensureBuilt } from './bootstrap.mjs';
import { passOnTo } from './pass-on.mjs';

await ensureBuilt();
passOnTo(['apps/bench/dist/main.js', ...process.argv.slice(2)], { ownGroup: true });
