import { checkShards, type Keys, Placement, remarkOnShards, ShardState, untilEnough } from '@hooligram/bus';
import { within, withoutPasswords } from '@hooligram/service';
import type { Redis } from 'ioredis';
import type { CoreService } from '../config.ts';
import type { Shard } from './shard.ts';
import { ShardLifecycle } from './shard-lifecycle.ts';

const absent = 'not connected yet';
const answerTimeoutMs = 1_000;

/**
 * The Redis of this system: one, or several, of which each holds a whole bus for a part of all groups and users. A process
 * is ready while more than half of them work, and of two while one does. It starts when so many are there; the others
 * join later.
 */
export class Shards {
  readonly placement: Placement;
  /** One a Redis; none with one Redis, where everybody waits for it. */
  readonly states: readonly ShardState[];
  /** Makes good what a Redis that was away has missed. */
  makeGood: (shard: number) => Promise<void> = async () => {};
  readonly #service: CoreService;
  readonly #addresses: readonly string[];
  readonly #lifecycles: readonly ShardLifecycle[];
  readonly #shards: (Shard | undefined)[];
  #arriving: Promise<Shard>[] = [];

  /** @param addresses of a REDIS_URL */
  constructor(service: CoreService, addresses: readonly string[]) {
    this.#service = service;
    this.#addresses = addresses;
    this.#shards = addresses.map(() => undefined);
    this.placement = new Placement(addresses.length);
    const { lifecycle, log } = service;
    this.#lifecycles = this.isOne
      ? []
      : addresses.map((address) => new ShardLifecycle(lifecycle, log, withoutPasswords(address)));
    this.states = this.#lifecycles.map(
      (one, index) =>
        new ShardState({
          isConnected: () => this.#shards[index]?.redis.command.status === 'ready',
          works: () => one.checks.works,
          makeGood: () => this.makeGood(index),
        }),
    );
    for (const one of this.#lifecycles) one.lifecycle.check('start', () => absent);
  }

  get isOne(): boolean {
    return this.#addresses.length === 1;
  }

  /**
   * Reaches each Redis, and waits for as many as are needed.
   *
   * @param connect reaches the one with that place in the list
   */
  async connect(
    connect: (address: string, index: number, service: CoreService) => Promise<Shard>,
  ): Promise<void> {
    const { lifecycle } = this.#service;
    if (!this.isOne) {
      // Registered early: closed when nothing uses a Redis any more.
      lifecycle.onClose('redis', () => this.#close());
      const failures = () => this.#lifecycles.map(({ checks }) => checks.failure);
      // Under the name that it has on gateways: rules look for it on both.
      lifecycle.check(
        'bus',
        () => checkShards(failures()),
        () => remarkOnShards(failures()),
      );
    }
    this.#arriving = this.#addresses.map(async (address, index) => {
      const shard = await connect(address, index, this.#serviceOf(index));
      this.#shards[index] = shard;
      // What was published before may have gone to a server that was the primary no longer, and said nothing.
      if (!this.isOne) shard.redis.command.on('ready', () => this.states[index]?.miss());
      return shard;
    });
    await untilEnough(this.#arriving);
  }

  /**
   * Starts what runs on each Redis, as soon as that is there, and waits for as many as are needed.
   *
   * @throws what `run` threw, on one of them
   */
  async start(run: (shard: Shard) => Promise<void>): Promise<void> {
    const { lifecycle, log } = this.#service;
    // What runs there uses the database, which was connected before, and is used by the intake, which is started behind.
    if (!this.isOne) lifecycle.onClose('what runs on each Redis', () => this.#stop());
    const started = this.#arriving.map(async (arriving, index) => {
      const own = this.#lifecycles[index];
      try {
        const shard = await arriving;
        own?.begin();
        await run(shard);
        own?.lifecycle.check('start', () => true);
      } catch (err) {
        if (!lifecycle.stopping.aborted) log.error({ err, redis: index }, 'could not be started');
        throw err;
      }
    });
    await untilEnough(started);
  }

  /** Those that were reached, whether they work now or not. */
  all(): Shard[] {
    return this.#shards.filter((shard) => shard !== undefined);
  }

  at(index: number): Shard | undefined {
    return this.#shards[index];
  }

  /** The one of a group or of a user; undefined if it was never reached. */
  of(id: number): Shard | undefined {
    return this.#shards[this.placement.of(id)];
  }

  /**
   * Asks each Redis that was reached. Of several, one that does not answer in time keeps nobody waiting.
   * @returns what was answered
   * @throws if none answers, what the first one said
   */
  async onEach<T>(ask: (redis: Redis, names: Keys) => Promise<T>): Promise<T[]> {
    const answers = await Promise.allSettled(
      this.all().map(({ redis, names }) => {
        const answer = ask(redis.command, names);
        return this.isOne ? answer : within(answerTimeoutMs, answer);
      }),
    );
    const given = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    const failed = answers.find(({ status }) => status === 'rejected');
    if (given.length === 0 && failed?.status === 'rejected') throw failed.reason;
    return given;
  }

  /** For what may go to any of them. @throws if none was reached */
  first(): Shard {
    const shard = this.all().find(({ index }) => this.works(index)) ?? this.all()[0];
    if (!shard) throw new Error('not connected to Redis');
    return shard;
  }

  /** Whether none before it works: to it belongs what one of them has to do. */
  isFirst(index: number): boolean {
    return this.all().every((shard) => shard.index >= index || !this.works(shard.index));
  }

  /** How many of several work; 0 with one, for which nobody asks here. */
  get working(): number {
    return this.#lifecycles.filter(({ checks }) => checks.works).length;
  }

  works(index: number): boolean {
    return this.#lifecycles[index]?.checks.works ?? true;
  }

  /**
   * A connection to the Redis of a group or of a user. Commands on it fail at once while that is away.
   * @throws if it was never reached
   */
  commandOf(id: number): Redis {
    const shard = this.of(id);
    // As ioredis says it.
    if (!shard) throw new Error('Connection is closed.');
    return shard.redis.command;
  }

  /** Whether the Redis of a group misses now what was meant for it; never with one, for which everybody waits. */
  misses(groupId: number): boolean {
    const state = this.states[this.placement.of(groupId)];
    if (!state?.isAway) return false;
    state.miss();
    return true;
  }

  #serviceOf(index: number): CoreService {
    const own = this.#lifecycles[index];
    return own ? { ...this.#service, lifecycle: own.lifecycle } : this.#service;
  }

  async #stop(): Promise<void> {
    await Promise.all(this.#lifecycles.map((one) => one.stop()));
  }

  async #close(): Promise<void> {
    for (const state of this.states) state.close();
    await Promise.all(this.#lifecycles.map((one) => one.close()));
  }
}
