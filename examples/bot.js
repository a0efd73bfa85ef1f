// Answers every message with its letters in reverse: node examples/bot.js [url] [sid] [code]
import { createClient } from '@hooligram/client';
import { WebSocket } from 'ws';

const [url = 'ws://127.0.0.1:8080/v2', sid = '1.5550199', verification_code = '000000'] =
  process.argv.slice(2);
const [country_code, phone_number] = sid.split('.');
const print = (text) => process.stdout.write(`${text}\n`);

const client = createClient({ url, WebSocket });
client.on('state', ({ status }) => print(status));
client.on('group', ({ group_id, member_sids }) =>
  print(`in group ${group_id} with ${member_sids.join(', ')}`),
);

// A message is acknowledged when this has resolved: one that arrives while the bot is away, or fails here, comes again.
client.on('message', async ({ group_id, sender_sid, content }) => {
  if (sender_sid === sid) return;
  await client.send(group_id, [...content].reverse().join(''));
});

await client.requestCode({ country_code, phone_number });
await client.submitCode(verification_code);
await client.signIn({ country_code, phone_number, verification_code });

process.once('SIGINT', () => client.close());
