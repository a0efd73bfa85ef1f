import { runMain } from '@hooligram/service';
import { core } from './core.ts';

await runMain(core);
