import { ensureBuilt } from './bootstrap.mjs';
import { passOnTo } from './pass-on.mjs';

const node = await ensureBuilt();
// docs/protocol is committed: it is generated again when the protocol has changed.
if (process.argv.includes('--docs')) passOnTo(node, ['tools/protocol-docs/dist/main.js']);
