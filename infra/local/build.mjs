import { ensureBuilt } from './bootstrap.mjs';
import { passOnTo } from './pass-on.mjs';

await ensureBuilt();
// docs/protocol is committed: it is made anew when the protocol has changed.
if (process.argv.includes('--docs')) passOnTo(['packages/description/dist/main.js']);
