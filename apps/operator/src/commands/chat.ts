import { createInterface } from 'node:readline';
import { createClient } from '@hooligram/client';
import type { Command } from 'commander';
import { WebSocket } from 'ws';
import { act, exitCodes, Refusal } from '../program.ts';

const defaultUrl = 'ws://127.0.0.1:8080/v2';
const usage = `/groups              your groups
/new NAME SID ...    a group with these users; two in all make a direct message if NAME is -
/group ID            what you write goes to this group
/leave ID            leave it
/quit                end`;

type Client = ReturnType<typeof createClient>;

export function addChat(program: Command): void {
  act<[string], { url?: string; code?: string }>(
    program
      .command('chat')
      .summary('a small client in the terminal, to try a system as a user')
      .description(
        `A small client in the terminal, to try a system as a user: signs in, prints what comes, and sends each line that it
reads to a group. It asks for a code, and reads that as its first line unless --code has it.

${usage}`,
      )
      .argument('<sid>', 'your number, such as 1.5550100')
      .option('--url <url>', `a gateway (default: of the local stack, else ${defaultUrl})`)
      .option('--code <code>', 'the code, if it is known: 000000 in a local stack'),
    async ({ place, out }, [sid], { url, code }) => {
      const [country_code, phone_number] = sid.split('.');
      if (!country_code || !phone_number)
        throw new Refusal(`${sid} is no sid, such as 1.5550100`, exitCodes.usage);
      const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
      const client = createClient({ url: url ?? place.gatewayUrl ?? defaultUrl, WebSocket });
      const chat = new Chat(client, sid, (line) => out.note(line));
      try {
        await client.requestCode({ country_code, phone_number });
        if (!code) out.note('which code was sent?');
        const verification_code = code ?? (await lines.next()).value?.trim() ?? '';
        await client.submitCode(verification_code);
        await client.signIn({ country_code, phone_number, verification_code });
        out.note(`signed in as ${sid}; /help says what you can write`);
        for await (const line of { [Symbol.asyncIterator]: () => lines }) {
          if (line.trim() === '/quit') break;
          await chat.read(line.trim()).catch((error: Error) => out.note(`! ${error.message}`));
        }
      } catch (error) {
        throw new Refusal((error as Error).message);
      } finally {
        client.close();
      }
      return exitCodes.done;
    },
  );
}

/** One user at a terminal. */
class Chat {
  readonly #client: Client;
  readonly #print: (line: string) => void;
  #groupId: number | undefined;

  constructor(client: Client, sid: string, print: (line: string) => void) {
    this.#client = client;
    this.#print = print;
    client.on('group', (group) => {
      this.#groupId ??= group.group_id;
      print(`* group ${group.group_id} ${group.group_name}: ${group.member_sids.join(', ')}`);
    });
    client.on('message', ({ group_id, sender_sid, content }) => {
      if (sender_sid !== sid) print(`[${group_id}] ${sender_sid}: ${content}`);
    });
    client.on('state', (state) => {
      if (state.status === 'waiting') print(`* not connected (${state.code} ${state.reason})`);
    });
  }

  async read(line: string): Promise<void> {
    const [command = '', ...words] = line.split(/\s+/);
    if (line === '') return;
    if (!command.startsWith('/')) return this.#send(line);
    if (command === '/groups') {
      for (const { group_id, group_name } of this.#client.groups.values())
        this.#print(`${group_id} ${group_name}`);
    } else if (command === '/new' && words.length > 1) {
      const [name = '', ...sids] = words;
      const own = this.#client.sid ?? '';
      this.#groupId = await this.#client.createGroup(name === '-' ? '' : name, [
        own,
        ...sids.filter((sid) => sid !== own),
      ]);
    } else if (command === '/group' && words.length === 1) this.#groupId = Number(words[0]);
    else if (command === '/leave' && words.length === 1) await this.#client.leaveGroup(Number(words[0]));
    else this.#print(usage);
  }

  async #send(content: string): Promise<void> {
    if (this.#groupId === undefined) throw new Error('there is no group yet: /new NAME SID ...');
    await this.#client.send(this.#groupId, content);
  }
}
