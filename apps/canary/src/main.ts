import { runMain } from '@hooligram/service';
import { canary } from './canary.ts';

await runMain(canary);
