import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

// Loaded into gateways and cores with --import: SIGUSR2 collects garbage, so that what is measured afterwards is what a
// process keeps. Without it the heap of a busy minute stands until V8 needs the room, which looks like a leak.

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

process.on('SIGUSR2', () => {
  // What the first one frees finalizes handles; the second one frees what they held.
  collect();
  setImmediate(collect);
});
