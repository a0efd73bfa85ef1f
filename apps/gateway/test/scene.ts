import { type BusLog, connectRedis } from '@hooligram/bus';
import type { Membership, Requests } from '@hooligram/contract';
import { parseDeliveryId, sidOf } from '@hooligram/protocol';
import {
  connect,
  metrics,
  type ServiceProcess,
  startSystem,
  type TestClient,
  type TestSystem,
  uniqueSid,
  until,
} from '@hooligram/testkit';
import { type AskedRequest, PuppetCore } from './puppet-core.ts';
import { RedisWire } from './redis-wire.ts';
import { type Person, type Standing, StoredGroup } from './stored-group.ts';

type Redis = Awaited<ReturnType<typeof connectRedis>>;
type GroupWithCursor = StoredGroup | readonly [StoredGroup, Standing];

const silent: BusLog = { info() {}, warn() {}, error() {} };

/** Real gateways, each on a wire of its own to a real Redis, and a core that does what the test says. */
export class Scene {
  readonly system: TestSystem;
  readonly puppet: PuppetCore;
  readonly wires: RedisWire[] = [];
  readonly #redis: Redis;
  readonly #groups = new Map<number, StoredGroup>();
  readonly #beacons = new Map<number, StoredGroup>();
  #lastUserId = 100;
  #lastGroupId = 500;
  #lastUnknownMessageId = 0;

  /** @param gatewayEnvs one gateway each */
  static async start(...gatewayEnvs: NodeJS.ProcessEnv[]): Promise<Scene> {
    const system = await startSystem({ gateways: 0, cores: 0 });
    const puppet = await PuppetCore.start(system);
    puppet.always('CURSOR_RAISE', () => ({}));
    const redis = await connectRedis(system.redisUrl, { role: 'command', name: 'scene', log: silent });
    const scene = new Scene(system, puppet, redis);
    for (const env of gatewayEnvs) await scene.addGateway(env);
    return scene;
  }

  private constructor(system: TestSystem, puppet: PuppetCore, redis: Redis) {
    this.system = system;
    this.puppet = puppet;
    this.#redis = redis;
  }

  /** @returns the index of the new gateway */
  async addGateway(env: NodeJS.ProcessEnv = {}): Promise<number> {
    const wire = await RedisWire.open(this.system.redisUrl);
    const index = this.wires.push(wire) - 1;
    await this.system.addGateway({ REDIS_URL: wire.url, ...env });
    return index;
  }

  async stop(): Promise<void> {
    try {
      await this.system.stop();
    } finally {
      await this.puppet.stop();
      for (const wire of this.wires) wire.close();
      this.#redis.disconnect();
    }
  }

  wire(index = 0): RedisWire {
    const wire = this.wires[index];
    if (!wire) throw new Error(`no gateway ${index}`);
    return wire;
  }

  person(): Person {
    this.#lastUserId += 1;
    return { userId: this.#lastUserId, sid: uniqueSid() };
  }

  group(people: readonly Person[], options: { lastSeq?: number } = {}): StoredGroup {
    this.#lastGroupId += 1;
    const group = new StoredGroup(this.#lastGroupId, people, options);
    this.#groups.set(group.id, group);
    return group;
  }

  /** From now on the core answers for every page that no test takes, with what is stored when it is asked. */
  answerPages(): void {
    this.puppet.always('REPLAY_PAGE', (asked) => {
      const group = this.#groups.get(asked.group_id);
      if (!group) throw new Error(`no group ${asked.group_id}`);
      return group.page(asked, asked.limit);
    });
  }

  /** One that no group ever had. */
  unknownMessageId(): number {
    this.#lastUnknownMessageId += 1;
    return this.#lastUnknownMessageId;
  }

  /** A group of a person's own, on which something can be told to them that shows what came before. */
  beacon(person: Person): StoredGroup {
    const beacon = this.#beacons.get(person.userId) ?? this.group([person]);
    this.#beacons.set(person.userId, beacon);
    return beacon;
  }

  connect(gateway = 0): Promise<TestClient> {
    return connect(this.system.gateway(gateway).url, { acknowledge: false });
  }

  /** Sends a sign-in, and takes it at the core: the test answers. */
  async askSignIn(client: TestClient, { sid }: Person): Promise<AskedRequest<'AUTHORIZATION_SIGN_IN'>> {
    const [country_code = '', phone_number = ''] = sid.split('.');
    client.send('AUTHORIZATION_SIGN_IN_REQUEST', { country_code, phone_number, verification_code: '000000' });
    return this.puppet.next(
      'AUTHORIZATION_SIGN_IN',
      (params) => sidOf(params.country_code, params.phone_number) === sid,
    );
  }

  /** Signs in and stops where the gateway has read nothing yet: the test answers the read. */
  async beginSignIn(
    client: TestClient,
    person: Person,
    groups: readonly StoredGroup[],
  ): Promise<AskedRequest<'REPLAY_GROUPS'>> {
    const asked = await this.askSignIn(client, person);
    await asked.succeed({ user_id: person.userId, sid: person.sid, group_ids: groups.map(({ id }) => id) });
    await client.next('AUTHORIZATION_SIGN_IN_SUCCESS');
    return this.nextRead(person);
  }

  nextRead({ userId }: Person): Promise<AskedRequest<'REPLAY_GROUPS'>> {
    return this.puppet.next('REPLAY_GROUPS', (params) => params.user_id === userId);
  }

  nextPage(group: StoredGroup): Promise<AskedRequest<'REPLAY_PAGE'>> {
    return this.puppet.next('REPLAY_PAGE', (params) => params.group_id === group.id);
  }

  nextCursors(person: Person): Promise<AskedRequest<'CURSOR_RAISE'>> {
    return this.puppet.next('CURSOR_RAISE', ({ cursors }) =>
      cursors.some(({ user_id }) => user_id === person.userId),
    );
  }

  /** The next report that somebody does not acknowledge. */
  nextReport({ userId }: Person): Promise<AskedRequest<'OVERDUE_REPORT'>> {
    return this.puppet.next('OVERDUE_REPORT', ({ user_ids }) => user_ids.includes(userId));
  }

  /** How often the core was asked for the page of a group. */
  pagesOf(group: StoredGroup): number {
    return this.puppet.asked.filter(
      ({ type, params }) => type === 'REPLAY_PAGE' && 'group_id' in params && params.group_id === group.id,
    ).length;
  }

  /** A person in these groups, and in their beacon, who was told the states. Pages are the test's to answer. */
  async enter(person: Person, groups: readonly GroupWithCursor[] = [], gateway = 0): Promise<Present> {
    const client = await this.connect(gateway);
    await this.signIn(client, person, groups);
    return this.present(client, person);
  }

  async signIn(client: TestClient, person: Person, groups: readonly GroupWithCursor[] = []): Promise<void> {
    const beacon = this.beacon(person);
    const memberships: Membership[] = [
      ...groups.map((entry) => {
        const [group, cursor] = entry instanceof StoredGroup ? [entry, {}] : entry;
        return group.membership(cursor);
      }),
      beacon.membership(),
    ];
    const ids = memberships.map(({ state }) => state.group_id);
    const asked = await this.askSignIn(client, person);
    await asked.succeed({ user_id: person.userId, sid: person.sid, group_ids: ids });
    await client.next('AUTHORIZATION_SIGN_IN_SUCCESS');
    await (await this.nextRead(person)).succeed({ memberships });
    for (const id of ids) {
      await client.next(({ type, payload }) => type === 'GROUP_DELIVER_REQUEST' && payload.group_id === id);
    }
  }

  present(client: TestClient, person: Person): Present {
    return new Present(client, person, this);
  }

  /** Answers a read of groups with snapshots taken now. */
  read(...groups: StoredGroup[]): Requests['REPLAY_GROUPS']['answer'] {
    return { memberships: groups.map((group) => group.membership()) };
  }

  /** How many connections listen to a channel. */
  async listeners(channel: string): Promise<number> {
    const [, count] = (await this.#redis.pubsub('NUMSUB', channel)) as [string, number];
    return Number(count);
  }

  listenersOf(group: StoredGroup): Promise<number> {
    return this.listeners(this.puppet.names.group(group.id));
  }
}

/** Somebody signed in on one connection, and what they were told. */
export class Present {
  readonly client: TestClient;
  readonly person: Person;
  readonly #scene: Scene;

  constructor(client: TestClient, person: Person, scene: Scene) {
    this.client = client;
    this.person = person;
    this.#scene = scene;
  }

  /**
   * Resolves when the gateway has acted on everything that was published and answered before: one connection
   * of Redis tells it all of it in order, and this connection was sent what came behind.
   */
  async settled(): Promise<void> {
    const beacon = this.#scene.beacon(this.person);
    await this.hasState(beacon, 1);
    const message = beacon.store();
    await this.#scene.puppet.publish.message(message);
    await this.client.next(({ payload }) => payload.message_id === message.message_id);
    await this.client.roundTrip();
  }

  /**
   * Resolves when Redis has all that the gateway said so far: what is asked for this came behind it on the same
   * connection.
   */
  async saidAll(): Promise<void> {
    const message_id = this.#scene.unknownMessageId();
    this.client.send('MESSAGING_DELIVER_SUCCESS', { message_id });
    const asked = await this.#scene.puppet.next('MESSAGE_LOOKUP', ({ message_ids }) =>
      message_ids.includes(message_id),
    );
    await asked.succeed({ found: [] });
  }

  /** Waits until the message with that `seq` is here. */
  async has(group: StoredGroup, seq: number): Promise<void> {
    await this.client.waitFor(() => this.seqs(group).includes(seq));
  }

  async hasState(group: StoredGroup, version: number): Promise<void> {
    await this.client.waitFor(() => this.versions(group).includes(version));
  }

  /** Which of a group's messages came, in their order. */
  seqs(group: StoredGroup): number[] {
    return this.client
      .received('MESSAGING_DELIVER_REQUEST')
      .filter(({ payload }) => payload.group_id === group.id)
      .map(({ payload }) => (payload.message_id ?? 0) - group.id * 1_000_000);
  }

  /** Which of a group's states came, in their order. */
  versions(group: StoredGroup): number[] {
    return this.client.received('GROUP_DELIVER_REQUEST').flatMap(({ id }) => {
      const delivered = parseDeliveryId(id);
      return delivered?.kind === 'group' && delivered.groupId === group.id ? [delivered.version] : [];
    });
  }

  acknowledgeState(group: StoredGroup): void {
    this.client.send('GROUP_DELIVER_SUCCESS', { group_id: group.id });
  }

  acknowledge(group: StoredGroup, ...seqs: number[]): void {
    for (const seq of seqs) {
      this.client.send('MESSAGING_DELIVER_SUCCESS', { message_id: group.message(seq).message_id });
    }
  }
}

/** Asks again and again, for what tells nobody that it has changed. */
export async function eventually(isSo: () => Promise<boolean> | boolean, what: string): Promise<void> {
  await until(what, isSo);
}

/** A number that a gateway exposes. */
export async function measured(gateway: ServiceProcess, name: string): Promise<number> {
  return (await metrics(gateway.adminUrl)).value(`hooligram_${name}`);
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
