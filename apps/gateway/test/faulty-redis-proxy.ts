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
  readonly held: Record<Direction, Buffer[]>;
  /** The last of what the gateway sent. */
  sent: string;
};

const sentMax = 1_000_000;

/**
 * A proxy between one gateway (or core) and Redis: a test holds what goes one way, lets it through in one piece, waits
 * until something was sent, or cuts a connection.
 */
export class FaultyRedisProxy {
  readonly url: string;
  readonly #links = new Set<Link>();
  readonly #holding = new Set<string>();
  readonly #listeners = new Set<() => void>();
  readonly #close: () => void;
  #isDown = false;

  static async open(redisUrl: string): Promise<FaultyRedisProxy> {
    const { hostname, port } = new URL(redisUrl);
    const server = createServer((gateway) => proxy.#link(gateway, dial(Number(port), hostname)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new FaultyRedisProxy(`redis://127.0.0.1:${(server.address() as AddressInfo).port}`, () => {
      server.close();
    });
    return proxy;
  }

  private constructor(url: string, close: () => void) {
    this.url = url;
    this.#close = close;
  }

  /** From now on nothing goes this way. */
  hold(role: Role, direction: Direction): void {
    this.#holding.add(`${role} ${direction}`);
  }

  /** Lets through what was held, in one piece. */
  release(role: Role, direction: Direction): void {
    this.#holding.delete(`${role} ${direction}`);
    for (const link of this.#of(role)) {
      const held = Buffer.concat(link.held[direction].splice(0));
      if (held.length > 0) (direction === 'toRedis' ? link.redis : link.gateway).write(held);
    }
  }

  /** Resolves when this text is held on the way to the gateway. */
  untilHeld(role: Role, text: string): Promise<void> {
    return this.#until(
      () => this.#of(role).some(({ held }) => Buffer.concat(held.toGateway).includes(text)),
      `${text} to be held for ${role}`,
    );
  }

  /** Resolves when the gateway has sent this, held or not. */
  untilSent(role: Role, text: string): Promise<void> {
    return this.#until(
      () => this.#of(role).some(({ sent }) => sent.includes(text)),
      `${role} to send ${text}`,
    );
  }

  /** Forgets what was sent so far, so that `untilSent` is about what comes. */
  forget(): void {
    for (const link of this.#links) link.sent = '';
  }

  /** Breaks a connection; until `restore`, no new one is let through. */
  cut(role: Role): void {
    this.#isDown = true;
    for (const link of this.#of(role)) link.gateway.destroy();
  }

  restore(): void {
    this.#isDown = false;
  }

  /** Holds nothing and cuts nothing from now on. */
  reset(): void {
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
    const link: Link = { role: undefined, gateway, redis, held: { toRedis: [], toGateway: [] }, sent: '' };
    this.#links.add(link);
    gateway.on('data', (bytes: Buffer) => {
      link.sent = (link.sent + bytes.toString('latin1')).slice(-sentMax);
      link.role ??= /(?:gateway|core)-(command|subscriber|blocking)-/.exec(link.sent)?.[1] as
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
    if (this.#holding.has(`${link.role} ${direction}`)) link.held[direction].push(bytes);
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
      [...this.#links].map(({ role, sent }) => ({ role, sent: sent.slice(-500) })),
    );
  }
}
