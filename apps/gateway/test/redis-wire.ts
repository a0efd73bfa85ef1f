import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';
import { within } from '@hooligram/testkit';

const roles = ['command', 'subscriber', 'blocking'] as const;
const directions = ['toRedis', 'toGateway'] as const;

type Role = (typeof roles)[number];
type Direction = (typeof directions)[number];
type Link = {
  role: Role | undefined;
  readonly gateway: Socket;
  readonly redis: Socket;
  readonly kept: Record<Direction, Buffer[]>;
  /** What the gateway said, the last of it. */
  said: string;
};

const saidMax = 1_000_000;

/**
 * The wire between one gateway (or core) and Redis, in a test's hands: hold what goes one way, let it through in one
 * piece, wait until something was said, cut it.
 */
export class RedisWire {
  readonly url: string;
  readonly #links = new Set<Link>();
  readonly #held = new Set<string>();
  readonly #listeners = new Set<() => void>();
  readonly #close: () => void;
  #isDown = false;

  static async open(redisUrl: string): Promise<RedisWire> {
    const { hostname, port } = new URL(redisUrl);
    const server = createServer((gateway) => wire.#link(gateway, dial(Number(port), hostname)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const wire = new RedisWire(`redis://127.0.0.1:${(server.address() as AddressInfo).port}`, () => {
      server.close();
    });
    return wire;
  }

  private constructor(url: string, close: () => void) {
    this.url = url;
    this.#close = close;
  }

  /** From now on nothing goes this way. */
  hold(role: Role, direction: Direction): void {
    this.#held.add(`${role} ${direction}`);
  }

  /** Lets through what was held, in one piece. */
  release(role: Role, direction: Direction): void {
    this.#held.delete(`${role} ${direction}`);
    for (const link of this.#of(role)) {
      const kept = Buffer.concat(link.kept[direction].splice(0));
      if (kept.length > 0) (direction === 'toRedis' ? link.redis : link.gateway).write(kept);
    }
  }

  /** Resolves when this text is held on the way to the gateway. */
  keeps(role: Role, text: string): Promise<void> {
    return this.#until(
      () => this.#of(role).some(({ kept }) => Buffer.concat(kept.toGateway).includes(text)),
      `${role} to be told ${text}`,
    );
  }

  /** Resolves when the gateway has said this, held or not. */
  hears(role: Role, text: string): Promise<void> {
    return this.#until(
      () => this.#of(role).some(({ said }) => said.includes(text)),
      `${role} to say ${text}`,
    );
  }

  /** Forgets what was said so far, so that `hears` is about what comes. */
  forget(): void {
    for (const link of this.#links) link.said = '';
  }

  /** Breaks a connection; until `restore`, no new one is let through. */
  cut(role: Role): void {
    this.#isDown = true;
    for (const link of this.#of(role)) link.gateway.destroy();
  }

  restore(): void {
    this.#isDown = false;
  }

  /** Holds nothing and cuts nothing any more. */
  free(): void {
    this.restore();
    for (const role of roles) for (const direction of directions) this.release(role, direction);
  }

  close(): void {
    for (const { gateway } of this.#links) gateway.destroy();
    this.#close();
  }

  #of(role: Role): Link[] {
    return [...this.#links].filter((link) => link.role === role);
  }

  #link(gateway: Socket, redis: Socket): void {
    if (this.#isDown) {
      gateway.destroy();
      redis.destroy();
      return;
    }
    const link: Link = { role: undefined, gateway, redis, kept: { toRedis: [], toGateway: [] }, said: '' };
    this.#links.add(link);
    gateway.on('data', (bytes: Buffer) => {
      link.said = (link.said + bytes.toString('latin1')).slice(-saidMax);
      link.role ??= /(?:gateway|core)-(command|subscriber|blocking)-/.exec(link.said)?.[1] as
        | Role
        | undefined;
      this.#pass(link, 'toRedis', bytes);
    });
    redis.on('data', (bytes: Buffer) => this.#pass(link, 'toGateway', bytes));
    for (const [one, other] of [
      [gateway, redis],
      [redis, gateway],
    ] as const) {
      one.on('error', () => {});
      one.on('close', () => {
        this.#links.delete(link);
        other.destroy();
      });
    }
  }

  #pass(link: Link, direction: Direction, bytes: Buffer): void {
    if (this.#held.has(`${link.role} ${direction}`)) link.kept[direction].push(bytes);
    else (direction === 'toRedis' ? link.redis : link.gateway).write(bytes);
    for (const look of this.#listeners) look();
  }

  #until(isSo: () => boolean, what: string): Promise<void> {
    const done = new Promise<void>((resolve) => {
      const look = () => {
        if (!isSo()) return;
        this.#listeners.delete(look);
        resolve();
      };
      this.#listeners.add(look);
      look();
    });
    return within(`for ${what}`, done, () =>
      [...this.#links].map(({ role, said }) => ({ role, said: said.slice(-500) })),
    );
  }
}
