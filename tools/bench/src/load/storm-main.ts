import { giveWay } from '@hooligram/testkit';
import { answerCalls } from '../called-process.ts';
import { StormClients, type StormResult } from './storm-clients.ts';
import type { StormCall } from './storm-process.ts';

// Started by storm-process.ts; ends with it. Phones have processors of their own: here theirs is the one that is left.
giveWay();

let clients: StormClients | undefined;

answerCalls(async (call: StormCall): Promise<StormResult | undefined> => {
  if (call === 'storm') {
    if (!clients) throw new Error('connect has to be called first');
    return clients.storm();
  }
  clients = new StormClients(call);
  await clients.connect();
  return undefined;
});
