import { setTimeout as pause } from 'node:timers/promises';
import { LoadClient } from './client.ts';
import { Conversation } from './conversation.ts';
import { createLatencies, encodeLatencies } from './latencies.ts';
import { limited } from './limited.ts';
import { type SpeechName, speeches } from './speech.ts';

export type Population = {
  readonly speech: SpeechName;
  /** Clients take them in turn. */
  readonly urls: readonly string[];
  readonly code: string;
  readonly people: number;
  /** Of the first of them; the others' follow. */
  readonly firstNumber: number;
  /** Members by their place, the sender first. */
  readonly groups: readonly (readonly number[])[];
  /** How many speak: the first ones. Only these are counted on, the others lie idle. */
  readonly conversations: number;
};

/** How fast is sent: so many at a time in each conversation, or so many a second in all. */
export type Pace = { readonly inFlight: number } | { readonly perSecond: number };

export type ExchangeResult = {
  readonly sent: number;
  readonly delivered: number;
  /** From the first send until the last delivery. */
  readonly elapsedMs: number;
  /** Microseconds from send to each member's receipt, encoded by HdrHistogram. */
  readonly latencies: string;
  /** Of this process meanwhile. */
  readonly cpuMs: number;
  readonly faults: readonly string[];
};

const setUpTogether = 100;
const silenceMaxMs = 15_000;
const faultsMax = 20;

/** The people of one load process, their groups, and what they hear. */
export class Scene {
  readonly clients: LoadClient[];
  readonly faults: string[] = [];
  #conversations = new Map<number, Conversation>();
  readonly #population: Population;
  #delivered = 0;
  #groupsHeard = 0;
  #latencies = createLatencies();

  constructor(population: Population) {
    this.#population = population;
    const { urls, speech, code, people, firstNumber } = population;
    const events = {
      onMessage: (client: LoadClient, groupId: number, number: number) =>
        this.#received(client, groupId, number),
      onGroup: () => {
        this.#groupsHeard += 1;
      },
      onFault: (what: string) => this.#fault(what),
    };
    this.clients = Array.from({ length: people }, (_, index) => {
      const url = urls[index % urls.length] as string;
      return new LoadClient(`1.${firstNumber + index}`, url, speeches[speech], code, events);
    });
  }

  get delivered(): number {
    return this.#delivered;
  }

  /** Signs everybody up and in, and makes the groups. */
  async settle(): Promise<void> {
    await limited(this.clients, setUpTogether, async (client) => {
      await client.connect();
      await client.signUp();
      await client.signIn();
    });
    const { groups, conversations } = this.#population;
    await limited(groups, setUpTogether, async (places, index) => {
      const members = places.map((place) => this.clients[place] as LoadClient);
      const answer = await (members[0] as LoadClient).ask('GROUP_CREATE', {
        group_name: `group ${index}`,
        member_sids: members.map(({ sid }) => sid),
      });
      const { group_id } = answer as { group_id: number };
      if (index < conversations) this.#conversations.set(group_id, new Conversation(group_id, members));
    });
    const memberships = groups.reduce((sum, { length }) => sum + length, 0);
    await this.#until(() => this.#groupsHeard >= memberships, 'groups');
  }

  leave(clients: readonly LoadClient[] = this.clients): void {
    for (const client of clients) client.leave();
  }

  /**
   * Signs people in as fast as possible.
   * @param together how many connections are being made at a time
   * @returns milliseconds until the last one has been told all of their groups
   */
  async storm(together: number): Promise<number> {
    this.#groupsHeard = 0;
    const startedAt = performance.now();
    await limited(this.clients, together, async (client) => {
      await client.connect();
      await client.signIn();
    });
    const memberships = this.#population.groups.reduce((sum, { length }) => sum + length, 0);
    await this.#until(() => this.#groupsHeard >= memberships, 'groups');
    return performance.now() - startedAt;
  }

  /** Sends in all conversations for a while, and waits until all of it has been delivered. */
  async exchange(seconds: number, pace: Pace): Promise<ExchangeResult> {
    const cpuBefore = process.cpuUsage();
    const sentBefore = this.#sent();
    const deliveredBefore = this.#delivered;
    this.#latencies = createLatencies();
    const startedAt = performance.now();
    const endsAt = startedAt + seconds * 1_000;
    if ('inFlight' in pace) await this.#keepInFlight(pace.inFlight, endsAt);
    else await this.#keepPace(pace.perSecond, startedAt, endsAt);
    await this.#until(() => this.#expected() === this.#delivered, 'deliveries');
    const elapsedMs = performance.now() - startedAt;
    const { user, system } = process.cpuUsage(cpuBefore);
    return {
      sent: this.#sent() - sentBefore,
      delivered: this.#delivered - deliveredBefore,
      elapsedMs,
      latencies: encodeLatencies(this.#latencies),
      cpuMs: (user + system) / 1_000,
      faults: this.faults,
    };
  }

  /**
   * Has the second member of each conversation miss messages, and come back.
   * @param messages how many each of them misses
   * @returns has them come back, all at once: how many they missed, and milliseconds until the last one has all
   */
  async missAndReturn(messages: number): Promise<() => Promise<{ messages: number; elapsedMs: number }>> {
    const conversations = [...this.#conversations.values()];
    const missing = conversations.map(({ members }) => members[1] as LoadClient);
    this.leave(missing);
    await Promise.all(conversations.map((conversation) => this.#say(conversation, messages, 50)));
    await this.#until(
      () => this.#expected() - this.#delivered === messages * conversations.length,
      'deliveries',
    );
    return async () => {
      const startedAt = performance.now();
      await limited(missing, missing.length, async (client) => {
        await client.connect();
        await client.signIn();
      });
      await this.#until(() => this.#expected() === this.#delivered, 'messages');
      return { messages: messages * conversations.length, elapsedMs: performance.now() - startedAt };
    };
  }

  #say(conversation: Conversation, messages: number, inFlight: number): Promise<void> {
    return new Promise((resolve) => {
      let answered = 0;
      let asked = 0;
      const next = () => {
        if (asked === messages) return;
        asked += 1;
        conversation.send(performance.now(), (isSuccess, payload) => {
          if (!isSuccess) this.#fault(`a message was refused: ${JSON.stringify(payload())}`);
          answered += 1;
          if (answered === messages) resolve();
          else next();
        });
      };
      for (let count = 0; count < inFlight; count += 1) next();
    });
  }

  /** Each conversation has so many sends without answer, until the time is over and all are answered. */
  async #keepInFlight(inFlight: number, endsAt: number): Promise<void> {
    let open = 0;
    await new Promise<void>((resolve, reject) => {
      const next = (conversation: Conversation) => {
        open += 1;
        conversation.send(performance.now(), (isSuccess, payload) => {
          open -= 1;
          if (!isSuccess) return reject(new Error(`a message was refused: ${JSON.stringify(payload())}`));
          if (performance.now() < endsAt) next(conversation);
          else if (open === 0) resolve();
        });
      };
      for (const conversation of this.#conversations.values()) {
        for (let count = 0; count < inFlight; count += 1) next(conversation);
      }
    });
  }

  /** So many sends a second, whatever is answered, the conversations in turn. */
  async #keepPace(perSecond: number, startedAt: number, endsAt: number): Promise<void> {
    const conversations = [...this.#conversations.values()];
    const total = Math.floor(((endsAt - startedAt) / 1_000) * perSecond);
    let failure: Error | undefined;
    let open = 0;
    for (let sent = 0; sent < total && !failure; ) {
      const due = Math.min(total, Math.floor(((performance.now() - startedAt) / 1_000) * perSecond) + 1);
      for (; sent < due; sent += 1) {
        open += 1;
        const conversation = conversations[sent % conversations.length] as Conversation;
        // From when it should have left: a late sender hides nothing.
        conversation.send(startedAt + (sent / perSecond) * 1_000, (isSuccess, payload) => {
          open -= 1;
          if (!isSuccess) failure = new Error(`a message was refused: ${JSON.stringify(payload())}`);
        });
      }
      await until(startedAt + (sent / perSecond) * 1_000);
    }
    await this.#until(() => open === 0 || failure !== undefined, 'answers');
    if (failure) throw failure;
  }

  #received(client: LoadClient, groupId: number, number: number): void {
    const conversation = this.#conversations.get(groupId);
    const sentAt = conversation?.receive(client, number) ?? `a message of group ${groupId}, which nobody speaks in`;
    if (typeof sentAt === 'string') return this.#fault(sentAt);
    this.#delivered += 1;
    this.#latencies.recordValue(Math.max(1, Math.round((performance.now() - sentAt) * 1_000)));
  }

  #sent(): number {
    let sent = 0;
    for (const { sentAt } of this.#conversations.values()) sent += sentAt.length;
    return sent;
  }

  #expected(): number {
    let expected = 0;
    for (const { sentAt, members } of this.#conversations.values()) expected += sentAt.length * members.length;
    return expected;
  }

  #fault(what: string): void {
    if (this.faults.length < faultsMax) this.faults.push(what);
  }

  /** @throws Error when nothing comes for a while */
  async #until(reached: () => boolean, what: string): Promise<void> {
    let progressAt = performance.now();
    let seen = -1;
    while (!reached()) {
      if (this.faults.length > 0) throw new Error(this.faults[0]);
      const sum = this.#delivered + this.#groupsHeard;
      if (sum !== seen) progressAt = performance.now();
      seen = sum;
      if (performance.now() - progressAt > silenceMaxMs) {
        throw new Error(`lost: no more ${what} came for ${silenceMaxMs / 1000} s`);
      }
      await pause(1);
    }
  }
}

/** Waits exactly: a timer is up to a millisecond late, which would be counted as latency. */
async function until(time: number): Promise<void> {
  const early = time - performance.now() - 1.5;
  if (early > 0) await pause(early);
  while (performance.now() < time) await new Promise((resolve) => setImmediate(resolve));
}
