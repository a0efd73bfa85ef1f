import { setTimeout as pause } from 'node:timers/promises';
import type { ExchangeResult } from './calls.ts';
import { LoadClient } from './client.ts';
import { Conversation } from './conversation.ts';
import { createLatencies, encodeLatencies } from './latencies.ts';
import { limited } from './limited.ts';
import { keepInFlight, keepPace, type Pace, say } from './pace.ts';
import type { Population } from './population.ts';
import { speeches } from './speech.ts';

const setUpTogether = 100;
const silenceMaxMs = 15_000;
const lookMs = 250;
const faultsMax = 20;

/** The people of a load process, their groups, and what they hear. */
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
    await this.#untilGroupsHeard();
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
    await limited(this.clients, together, (client) => client.arrive());
    await this.#untilGroupsHeard();
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
    const conversations = [...this.#conversations.values()];
    if ('inFlight' in pace) {
      await this.#watched(keepInFlight(conversations, pace.inFlight, endsAt), 'answers');
    } else {
      const isAnswered = await keepPace(conversations, pace.perSecond, startedAt, endsAt);
      await this.#until(isAnswered, 'answers');
    }
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
    const said = Promise.all(conversations.map((conversation) => say(conversation, messages, 50)));
    await this.#watched(said, 'answers');
    await this.#until(
      () => this.#expected() - this.#delivered === messages * conversations.length,
      'deliveries',
    );
    return async () => {
      const startedAt = performance.now();
      await limited(missing, missing.length, (client) => client.arrive());
      await this.#until(() => this.#expected() === this.#delivered, 'messages');
      return { messages: messages * conversations.length, elapsedMs: performance.now() - startedAt };
    };
  }

  async #untilGroupsHeard(): Promise<void> {
    const memberships = this.#population.groups.reduce((sum, { length }) => sum + length, 0);
    await this.#until(() => this.#groupsHeard >= memberships, 'groups');
  }

  #received(client: LoadClient, groupId: number, number: number): void {
    const conversation = this.#conversations.get(groupId);
    const sentAt =
      conversation?.receive(client, number) ?? `a message of group ${groupId}, which nobody speaks in`;
    if (typeof sentAt === 'string') {
      this.#fault(sentAt);
      return;
    }
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
    for (const { sentAt, members } of this.#conversations.values())
      expected += sentAt.length * members.length;
    return expected;
  }

  #fault(what: string): void {
    if (this.faults.length < faultsMax) this.faults.push(what);
  }

  /** @throws Error at the first fault, and when nothing comes for a while */
  async #watched<T>(work: Promise<T>, what: string): Promise<T> {
    const over = new AbortController();
    try {
      await Promise.race([work, this.#until(() => false, what, lookMs, over.signal)]);
      return await work;
    } finally {
      over.abort();
    }
  }

  async #until(reached: () => boolean, what: string, everyMs = 1, signal?: AbortSignal): Promise<void> {
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
      await pause(everyMs, undefined, { signal });
    }
  }
}
