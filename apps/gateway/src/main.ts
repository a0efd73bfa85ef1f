import { runMain } from '@hooligram/service';
import { gateway } from './gateway.ts';

await runMain(gateway);
