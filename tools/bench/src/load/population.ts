import { setTimeout as pause } from 'node:timers/promises';
import pMap from 'p-map';
import { ownTime } from '../machine-clock.ts';
import { LoadClient } from './client.ts';
import { codecs } from './codec.ts';
import { Day, type DaySpec } from './day.ts';
import { Latencies, LatenciesByTime, type LatencyCounts, percentileOf, type Span } from './latencies.ts';
import { MessageStream } from './message-stream.ts';
import type { PopulationSpec } from './population-spec.ts';
import { keepInFlight, keepRate, type Rate } from './rate.ts';

const setUpConcurrency = 20;
const backlogInFlight = 50;
const silenceMaxMs = 15_000;
const pollMs = 250;
const faultsMax = 20;

export type ExchangeResult = {
  readonly sent: number;
  readonly delivered: number;
  readonly signIns: number;
  /** From the first send until the last delivery. */
  readonly elapsedMs: number;
  /** From the send until a member receives the message, by percentile. */
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number };
  /** All of them, of which those percentiles are. */
  readonly latencies: LatencyCounts;
  /** CPU time of the load process. */
  readonly cpuMs: number;
  readonly faults: readonly string[];
};

/** The users of a load process, their groups, and the deliveries that they count. */
export class Population {
  readonly #spec: PopulationSpec;
  readonly #clients: LoadClient[];
  readonly #faults: string[] = [];
  /** By group. */
  readonly #streams = new Map<number, MessageStream>();
  #delivered = 0;
  #groupsReceived = 0;
  #day: Day | undefined;
  #latencies = new Latencies();
  /** While somebody wants to part them by when they were sent. */
  #byTime: LatenciesByTime | undefined;

  constructor(spec: PopulationSpec) {
    this.#spec = spec;
    const { urls, codec, code, users, firstNumber, localAddress } = spec;
    const events = {
      onMessage: (client: LoadClient, groupId: number, number: number) =>
        this.#received(client, groupId, number),
      onGroup: () => {
        this.#groupsReceived += 1;
      },
      onFault: (fault: string) => this.#fault(fault),
    };
    this.#clients = Array.from({ length: users }, (_, index) => {
      const url = urls[index % urls.length] as string;
      return new LoadClient(`1.${firstNumber + index}`, url, codecs[codec], code, events, localAddress);
    });
  }

  get delivered(): number {
    return this.#delivered;
  }

  /** Signs all users up and in, and creates the groups. */
  async populate(): Promise<void> {
    const signUp = async (client: LoadClient) => {
      await client.connect();
      await client.signUp();
      await client.signIn();
    };
    await pMap(this.#clients, signUp, { concurrency: setUpConcurrency });
    const createGroup = async (indices: readonly number[], group: number) => {
      const members = indices.map((index) => this.#clients[index] as LoadClient);
      const answer = await (members[0] as LoadClient).request('GROUP_CREATE', {
        group_name: `group ${group}`,
        member_sids: members.map(({ sid }) => sid),
      });
      const { group_id } = answer as { group_id: number };
      if (group >= this.#spec.streams) return;
      const stream = new MessageStream(group_id, members);
      stream.mayRepeat = this.#spec.mayRepeat === true;
      this.#streams.set(group_id, stream);
    };
    await pMap(this.#spec.groups, createGroup, { concurrency: setUpConcurrency });
    await this.#untilGroupsReceived();
  }

  disconnect(): void {
    for (const client of this.#clients) client.disconnect();
  }

  /**
   * Signs all users in as fast as possible.
   * @param concurrency how many connections are being opened at a time
   * @param memberships how many groups they have in all
   * @returns milliseconds until the last one has received all their groups
   */
  async storm(concurrency: number, memberships = this.#memberships): Promise<number> {
    this.#groupsReceived = 0;
    const startedAt = performance.now();
    await pMap(this.#clients, (client) => client.connectAndSignIn(), { concurrency });
    await this.#untilGroupsReceived(memberships);
    return performance.now() - startedAt;
  }

  /** Has most users disconnect, who come and go from then on. */
  beginDay(spec: DaySpec): void {
    this.#day = new Day(this.#clients, [...this.#streams.values()], spec);
  }

  /** Lives the day for a while. What was sent to users who are away then stays to be delivered. */
  async day(seconds: number): Promise<ExchangeResult> {
    const day = this.#day;
    if (!day) throw new Error('the day has not begun');
    const signInsBefore = day.signIns;
    const result = await this.#counted(() => this.#watched(day.live(seconds), 'answers'));
    return { ...result, signIns: day.signIns - signInsBefore };
  }

  /** Everybody signs in. @returns how many messages had waited for somebody, when all are delivered */
  async endDay(concurrency: number): Promise<number> {
    const away = this.#clients.filter(({ onlineSince }) => onlineSince === Number.POSITIVE_INFINITY);
    const missing = this.#missing();
    await pMap(away, (client) => client.connectAndSignIn(), { concurrency });
    await this.#until(() => this.#missing() === 0, 'messages');
    return missing;
  }

  /**
   * For so many seconds, users leave a group of all, one after the other, and all others have to be told.
   * @returns milliseconds from each leave until everybody had been told
   */
  async leaveOneByOne(group_id: number, members: number, seconds: number): Promise<number[]> {
    const endsAt = performance.now() + seconds * 1_000;
    const took: number[] = [];
    while (performance.now() < endsAt) {
      const startedAt = performance.now();
      this.#groupsReceived = 0;
      await (this.#clients[took.length] as LoadClient).request('GROUP_LEAVE', { group_id });
      await this.#untilGroupsReceived(members - took.length - 1);
      took.push(performance.now() - startedAt);
    }
    return took;
  }

  /**
   * For so many seconds, one user signs in again and again.
   * @param groups how many groups the user has to receive each time
   * @returns milliseconds that each sign-in took
   */
  async signInAgain(user: number, groups: number, seconds: number): Promise<number[]> {
    const client = this.#clients[user] as LoadClient;
    const endsAt = performance.now() + seconds * 1_000;
    const took: number[] = [];
    while (performance.now() < endsAt) {
      client.disconnect();
      const startedAt = performance.now();
      this.#groupsReceived = 0;
      await client.connectAndSignIn();
      await this.#untilGroupsReceived(groups);
      took.push(performance.now() - startedAt);
    }
    return took;
  }

  /**
   * Sends in all streams for a while, and waits until all messages are delivered.
   * @param keepsTimes whether `latenciesOutside` will be asked
   */
  exchange(seconds: number, rate: Rate, keepsTimes = false): Promise<ExchangeResult> {
    this.#byTime = keepsTimes ? new LatenciesByTime() : undefined;
    return this.#counted(async () => {
      const startedAt = performance.now();
      const endsAt = startedAt + seconds * 1_000;
      const streams = [...this.#streams.values()];
      if ('inFlight' in rate) {
        const sending = keepInFlight(streams, rate.inFlight, () => performance.now() < endsAt);
        await this.#watched(sending, 'answers');
      } else await this.#until(await keepRate(streams, rate.perSecond, startedAt, endsAt), 'answers');
      await this.#until(() => this.#missing() === 0, 'deliveries');
    });
  }

  /**
   * @param spans by the clock that all processes share, see `machineTime`
   * @returns the latencies of what the last exchange sent in none of them
   */
  latenciesOutside(spans: readonly Span[]): LatencyCounts {
    if (!this.#byTime) throw new Error('exchange was not told to keep the times');
    return this.#byTime.outside(spans.map(([from, until]) => [ownTime(from), ownTime(until)]));
  }

  async #counted(work: () => Promise<void>): Promise<ExchangeResult> {
    const cpuBefore = process.cpuUsage();
    const sentBefore = this.#sent();
    const deliveredBefore = this.#delivered;
    this.#latencies = new Latencies();
    const startedAt = performance.now();
    await work();
    const elapsedMs = performance.now() - startedAt;
    const { user, system } = process.cpuUsage(cpuBefore);
    const latencies = this.#latencies.counts();
    const latencyMs = (percentile: number) => percentileOf(latencies, percentile) / 1_000;
    return {
      sent: this.#sent() - sentBefore,
      delivered: this.#delivered - deliveredBefore,
      signIns: 0,
      elapsedMs,
      latencyMs: { p50: latencyMs(50), p95: latencyMs(95), p99: latencyMs(99) },
      latencies,
      cpuMs: (user + system) / 1_000,
      faults: this.#faults,
    };
  }

  /** Has the second member of each stream disconnect, and miss so many messages. */
  async missMessages(messages: number): Promise<void> {
    const streams = [...this.#streams.values()];
    for (const client of this.#absentees()) client.disconnect();
    const sending = keepInFlight(streams, backlogInFlight, ({ sentCount }) => sentCount < messages);
    await this.#watched(sending, 'answers');
    await this.#until(() => this.#missing() === messages * streams.length, 'deliveries');
  }

  /**
   * Has those who missed messages reconnect, all at once.
   * @returns how many messages they missed, and milliseconds until the last one has received all
   */
  async reconnect(): Promise<{ messages: number; elapsedMs: number }> {
    const messages = this.#missing();
    const startedAt = performance.now();
    await Promise.all(this.#absentees().map((client) => client.connectAndSignIn()));
    await this.#until(() => this.#missing() === 0, 'messages');
    return { messages, elapsedMs: performance.now() - startedAt };
  }

  #absentees(): LoadClient[] {
    return [...this.#streams.values()].map(({ members }) => members[1] as LoadClient);
  }

  get #memberships(): number {
    return this.#spec.groups.reduce((sum, { length }) => sum + length, 0);
  }

  async #untilGroupsReceived(memberships = this.#memberships): Promise<void> {
    await this.#until(() => this.#groupsReceived >= memberships, 'groups');
  }

  #received(client: LoadClient, groupId: number, number: number): void {
    const stream = this.#streams.get(groupId);
    const sentAt = stream
      ? stream.receive(client, number)
      : `a message of group ${groupId}, which has no stream`;
    if (sentAt === undefined) return;
    if (typeof sentAt === 'string') {
      this.#fault(sentAt);
      return;
    }
    this.#delivered += 1;
    // What was sent while the user was away has waited for them.
    if (sentAt < client.onlineSince) return;
    const us = Math.max(1, Math.round((performance.now() - sentAt) * 1_000));
    this.#latencies.record(us);
    this.#byTime?.record(sentAt, us);
  }

  #sent(): number {
    let sent = 0;
    for (const { sentCount } of this.#streams.values()) sent += sentCount;
    return sent;
  }

  /** How many deliveries are still to come. */
  #missing(): number {
    let expected = 0;
    for (const { sentCount, members } of this.#streams.values()) expected += sentCount * members.length;
    return expected - this.#delivered;
  }

  #fault(fault: string): void {
    if (this.#faults.length < faultsMax) this.#faults.push(fault);
  }

  /** @throws Error at the first fault, and when nothing comes for a while */
  async #watched(work: Promise<void>, awaited: string): Promise<void> {
    const over = new AbortController();
    try {
      await Promise.race([work, this.#until(() => false, awaited, pollMs, over.signal)]);
    } finally {
      over.abort();
    }
  }

  async #until(reached: () => boolean, awaited: string, everyMs = 1, signal?: AbortSignal): Promise<void> {
    let progressAt = performance.now();
    let before = -1;
    while (!reached()) {
      if (this.#faults.length > 0) throw new Error(this.#faults[0]);
      const sum = this.#delivered + this.#groupsReceived;
      if (sum !== before) progressAt = performance.now();
      before = sum;
      if (performance.now() - progressAt > silenceMaxMs) {
        throw new Error(`lost: no more ${awaited} came for ${silenceMaxMs / 1000} s`);
      }
      await pause(everyMs, undefined, { signal });
    }
  }
}
