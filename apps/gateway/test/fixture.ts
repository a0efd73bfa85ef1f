import { type BusLog, connectRedis } from '@hooligram/bus';
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
import { FakeCore, type ReceivedRequest, type TestAnswerOf } from './fake-core.ts';
import { FaultyRedisProxy } from './faulty-redis-proxy.ts';
import { type MembershipWithState, type Standing, StoredGroup, type TestUser } from './stored-group.ts';

type Redis = Awaited<ReturnType<typeof connectRedis>>;
type GroupWithCursor = StoredGroup | readonly [StoredGroup, Standing];

const silent: BusLog = { info() {}, warn() {}, error() {} };

/** A busy machine answers late: no request is written again or given up unless a test says so. */
const once = { REQUEST_DEADLINE_MS: '120000', REQUEST_REPEAT_MS: '130000', REQUEST_PATIENCE_MS: '300000' };

/** Real gateways, each with a proxy of its own to a real Redis, and a core that does what the test says. */
export class Fixture {
  readonly system: TestSystem;
  readonly core: FakeCore;
  readonly redisProxies: FaultyRedisProxy[] = [];
  readonly #redis: Redis;
  readonly #groups = new Map<number, StoredGroup>();
  readonly #sentinels = new Map<number, StoredGroup>();
  #lastUserId = 100;
  #lastGroupId = 500;
  #lastUnknownMessageId = 0;

  /** @param gatewayEnvs one gateway each */
  static async start(...gatewayEnvs: NodeJS.ProcessEnv[]): Promise<Fixture> {
    const fixture = await Fixture.#on(await startSystem({ gateways: 0, cores: 0 }));
    for (const env of gatewayEnvs) await fixture.addGateway(env);
    return fixture;
  }

  /** On several Redis, of the test's own, and without proxies. Its gateways are added by `addGatewayOn`. */
  static async startOn(redisUrls: string): Promise<Fixture> {
    return Fixture.#on(await startSystem({ gateways: 0, cores: 0 }), redisUrls);
  }

  static async #on(system: TestSystem, redisUrl: string = system.redisUrl): Promise<Fixture> {
    const core = await FakeCore.start({ redisUrl, prefix: system.prefix });
    core.always('CURSOR_RAISE', () => ({}));
    const redis = await connectRedis(system.redisUrl, { role: 'command', name: 'fixture', log: silent });
    const fixture = new Fixture(system, core, redis);
    core.always('GROUP_HEADS', ({ group_ids }) => ({
      heads: group_ids.flatMap((id) => {
        const group = fixture.#groups.get(id);
        return group ? [[id, group.version, group.lastSeq] as const] : [];
      }),
    }));
    return fixture;
  }

  private constructor(system: TestSystem, core: FakeCore, redis: Redis) {
    this.system = system;
    this.core = core;
    this.#redis = redis;
  }

  /** @returns the index of the new gateway */
  async addGateway(env: NodeJS.ProcessEnv = {}): Promise<number> {
    const proxy = await FaultyRedisProxy.open(this.system.redisUrl);
    const index = this.redisProxies.push(proxy) - 1;
    await this.system.addGateway({ REDIS_URL: proxy.url, ...once, ...env });
    return index;
  }

  /** @param redisUrl of one Redis, or of several */
  async addGatewayOn(redisUrl: string, env: NodeJS.ProcessEnv = {}): Promise<void> {
    await this.system.addGateway({ REDIS_URL: redisUrl, ...env });
  }

  async stop(): Promise<void> {
    try {
      await this.system.stop();
    } finally {
      await this.core.stop();
      for (const proxy of this.redisProxies) proxy.close();
      this.#redis.disconnect();
    }
  }

  redisProxy(index = 0): FaultyRedisProxy {
    const proxy = this.redisProxies[index];
    if (!proxy) throw new Error(`no gateway ${index}`);
    return proxy;
  }

  user(): TestUser {
    this.#lastUserId += 1;
    return { userId: this.#lastUserId, sid: uniqueSid() };
  }

  group(members: readonly TestUser[], options: { lastSeq?: number } = {}): StoredGroup {
    this.#lastGroupId += 1;
    const group = new StoredGroup(this.#lastGroupId, members, options);
    this.#groups.set(group.id, group);
    return group;
  }

  /** From now on the core answers every request for a page that no test waits for, with what is stored then. */
  answerPages(): void {
    this.core.always('REPLAY_PAGE', (request) => {
      const group = this.#groups.get(request.group_id);
      if (!group) throw new Error(`no group ${request.group_id}`);
      return group.page(request, request.limit);
    });
  }

  /** One that no group ever had. */
  unknownMessageId(): number {
    this.#lastUnknownMessageId += 1;
    return this.#lastUnknownMessageId;
  }

  /** A group of a user alone. A message in it shows that all that came before it has arrived. */
  sentinel(user: TestUser): StoredGroup {
    const sentinel = this.#sentinels.get(user.userId) ?? this.group([user]);
    this.#sentinels.set(user.userId, sentinel);
    return sentinel;
  }

  connect(gateway = 0): Promise<TestClient> {
    return connect(this.system.gateway(gateway).url, { acknowledge: false });
  }

  /** Sends a sign-in, and waits until the core has it: the test answers. */
  async requestSignIn(
    client: TestClient,
    { sid }: TestUser,
  ): Promise<ReceivedRequest<'AUTHORIZATION_SIGN_IN'>> {
    const [country_code = '', phone_number = ''] = sid.split('.');
    client.send('AUTHORIZATION_SIGN_IN_REQUEST', { country_code, phone_number, verification_code: '000000' });
    return this.core.next(
      'AUTHORIZATION_SIGN_IN',
      (params) => sidOf(params.country_code, params.phone_number) === sid,
    );
  }

  /** Signs in and stops where the gateway has read nothing yet: the test answers the read. */
  async beginSignIn(
    client: TestClient,
    user: TestUser,
    groups: readonly StoredGroup[],
  ): Promise<ReceivedRequest<'REPLAY_GROUPS'>> {
    const request = await this.requestSignIn(client, user);
    await request.succeed({ user_id: user.userId, sid: user.sid, group_ids: groups.map(({ id }) => id) });
    await client.next('AUTHORIZATION_SIGN_IN_SUCCESS');
    return this.nextRead(user);
  }

  /** Signs in a user without groups, and stops where the gateway looks for some: the test answers. */
  async beginEmptySignIn(client: TestClient, user: TestUser): Promise<ReceivedRequest<'GROUP_IDS'>> {
    const request = await this.requestSignIn(client, user);
    const looking = this.core.next('GROUP_IDS', ({ user_ids }) => user_ids.includes(user.userId));
    await request.succeed({ user_id: user.userId, sid: user.sid, group_ids: [] });
    await client.next('AUTHORIZATION_SIGN_IN_SUCCESS');
    return looking;
  }

  nextRead({ userId }: TestUser): Promise<ReceivedRequest<'REPLAY_GROUPS'>> {
    return this.core.next('REPLAY_GROUPS', (params) => params.user_id === userId);
  }

  nextPage(group: StoredGroup): Promise<ReceivedRequest<'REPLAY_PAGE'>> {
    return this.core.next('REPLAY_PAGE', (params) => params.group_id === group.id);
  }

  nextCursors(user: TestUser): Promise<ReceivedRequest<'CURSOR_RAISE'>> {
    return this.core.next('CURSOR_RAISE', ({ cursors }) =>
      cursors.some(({ user_id }) => user_id === user.userId),
    );
  }

  /** The next report that the user does not acknowledge. */
  nextReport({ userId }: TestUser): Promise<ReceivedRequest<'OVERDUE_REPORT'>> {
    return this.core.next('OVERDUE_REPORT', ({ user_ids }) => user_ids.includes(userId));
  }

  /** How often a page of the group was requested. */
  pagesOf(group: StoredGroup): number {
    return this.core.received.filter(
      ({ type, params }) => type === 'REPLAY_PAGE' && 'group_id' in params && params.group_id === group.id,
    ).length;
  }

  /** Signs a user in who is in these groups and in their sentinel, and was sent the states. Pages are the test's to answer. */
  async connectAs(
    user: TestUser,
    groups: readonly GroupWithCursor[] = [],
    gateway = 0,
  ): Promise<SignedInClient> {
    const client = await this.connect(gateway);
    await this.signIn(client, user, groups);
    return this.asUser(client, user);
  }

  async signIn(client: TestClient, user: TestUser, groups: readonly GroupWithCursor[] = []): Promise<void> {
    const sentinel = this.sentinel(user);
    const memberships: MembershipWithState[] = [
      ...groups.map((entry) => {
        const [group, cursor] = entry instanceof StoredGroup ? [entry, {}] : entry;
        return group.membership(cursor);
      }),
      sentinel.membership(),
    ];
    const ids = memberships.map(({ state }) => state.group_id);
    const request = await this.requestSignIn(client, user);
    await request.succeed({ user_id: user.userId, sid: user.sid, group_ids: ids });
    await client.next('AUTHORIZATION_SIGN_IN_SUCCESS');
    await (await this.nextRead(user)).succeed({ memberships });
    for (const id of ids) {
      await client.next(({ type, payload }) => type === 'GROUP_DELIVER_REQUEST' && payload.group_id === id);
    }
    // Groups to which the user was added meanwhile were looked for.
    await client.request('CONN_KEEP_ALIVE', { after_groups: true });
  }

  asUser(client: TestClient, user: TestUser): SignedInClient {
    return new SignedInClient(client, user, this);
  }

  /** Answers a read of groups with snapshots taken now. */
  snapshots(...groups: StoredGroup[]): TestAnswerOf<'REPLAY_GROUPS'> {
    return { memberships: groups.map((group) => group.membership()) };
  }

  /** How many connections listen to a channel. */
  async listeners(channel: string): Promise<number> {
    const [, count] = (await this.#redis.pubsub('NUMSUB', channel)) as [string, number];
    return Number(count);
  }

  listenersOf(group: StoredGroup): Promise<number> {
    return this.listeners(this.core.names.group(group.id));
  }
}

/** A user signed in on one connection, and what that connection was sent. */
export class SignedInClient {
  readonly client: TestClient;
  readonly user: TestUser;
  readonly #fixture: Fixture;

  constructor(client: TestClient, user: TestUser, fixture: Fixture) {
    this.client = client;
    this.user = user;
    this.#fixture = fixture;
  }

  /**
   * Resolves when the gateway has acted on everything that was published and answered before: it gets all of that in
   * order on one connection of Redis, and this client was sent what came last.
   */
  async settled(): Promise<void> {
    const sentinel = this.#fixture.sentinel(this.user);
    await this.hasState(sentinel, 1);
    const message = sentinel.store();
    await this.#fixture.core.publish.message(message);
    await this.client.next(({ payload }) => payload.message_id === message.message_id);
    await this.client.roundTrip();
  }

  /**
   * Resolves when Redis has all that the gateway sent so far: the lookup that this causes came behind it on the same
   * connection.
   */
  async sentAll(): Promise<void> {
    const message_id = this.#fixture.unknownMessageId();
    this.client.send('MESSAGING_DELIVER_SUCCESS', { message_id });
    const request = await this.#fixture.core.next('MESSAGE_LOOKUP', ({ message_ids }) =>
      message_ids.includes(message_id),
    );
    await request.succeed({ found: [] });
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

/** Looks again and again, for what sends no event when it changes. */
export async function eventually(isSo: () => Promise<boolean> | boolean, what: string): Promise<void> {
  await until(what, isSo);
}

/** A number that a gateway exposes. */
export async function metric(
  gateway: ServiceProcess,
  name: string,
  labels?: Readonly<Record<string, string>>,
): Promise<number> {
  return (await metrics(gateway.adminUrl)).value(`hooligram_${name}`, labels);
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
