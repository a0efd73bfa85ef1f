import { giveWay } from '@hooligram/testkit';
import { StormClients } from './storm-clients.ts';
import type { StormCall, StormReply } from './storm-process.ts';

// Started by storm-process.ts; ends with it. Phones have processors of their own: here theirs is the one that is left.
giveWay();

let clients: StormClients | undefined;

process.on('disconnect', () => process.exit());
process.on('message', (call: StormCall) => {
  const reply = (message: StormReply) => process.send?.(message);
  act(call).then(reply, (error: Error) => reply({ error: error.message }));
});

async function act(call: StormCall): Promise<StormReply> {
  if (call === 'storm') {
    if (!clients) throw new Error('connect has to be called first');
    return { result: await clients.storm() };
  }
  clients = new StormClients(call);
  await clients.connect();
  return {};
}
