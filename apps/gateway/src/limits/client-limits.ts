import { closeReasons } from '@hooligram/protocol';
import { LimitReport, type Log, networkOf } from '@hooligram/service';
import type { GatewayMetrics } from '../metrics.ts';
import type { HandshakeRefusal } from '../websocket-server.ts';
import type { GatewayLimitsConfig } from './config.ts';
import { ConnectionLimits } from './connection-limits.ts';
import { tooManyOfAddress, tooOftenOfAddress } from './handshake-refusals.ts';
import { KnownRefusals } from './known-refusals.ts';
import type { GatewayLimit } from './limit-names.ts';
import { RecentKeys } from './recent-keys.ts';
import { Shares } from './shares.ts';
import { TimeLimit } from './time-limit.ts';
import { Traffic, type TrafficRates } from './traffic.ts';

type Socket = ConnectionLimits['socket'] & { readonly address: string };
type Connection = { readonly socket: ConnectionLimits['socket'] };
type Connections = readonly Connection[];
type Waiting = { waitingOf(network: string): number };

/**
 * Of what clients send because the server has sent them something: buckets apart from those of everything else. Whoever
 * writes to a user could use those up, and have the user's own requests refused.
 */
export type CausedLimits = {
  readonly connectionRates: TrafficRates;
  readonly addresses: Shares<string>;
  readonly users: Shares<number>;
};

/**
 * So many refusals close a connection: who does not look at a hundred of them will not look at a thousand, and a gateway
 * reads half a mebibyte of a socket at a time. Those of an address are its neighbours', too: as many as frames.
 */
const refusalsMax = 100;

/** More acknowledgements of a connection that are ignored close it. */
const ignoredRate = { points: 1_000, seconds: 10 };

/**
 * Who was closed for sending too much comes back at once, with the first frames of a connection free again. For so long
 * after it the handshakes of the address wait a little: a refusal would keep its neighbours out, and who is refused
 * comes again sooner than who waits. Clients wait longer for a handshake. Not all for as long: hundreds that were closed
 * together would come back together, each with all that it has saved up.
 */
const floodedForMs = 10_000;
const floodedDelayMs = { least: 1_000, most: 3_000 };

/** What one client may cost this gateway. Without `LIMITS_ENABLED` there is none of it. */
export class ClientLimits {
  readonly report: LimitReport<GatewayLimit>;
  readonly addresses: Shares<string>;
  readonly users: Shares<number>;
  /** Of the core's limits, by what they count. */
  readonly refusals = new KnownRefusals();
  /** Of codes that somebody signs in with: whether one is right changes nothing, so the core is hardly asked again. */
  readonly guessRefusals = new KnownRefusals({ asksMax: 1, askWindowMs: 5_000 });
  readonly signInTimes: TimeLimit<ConnectionLimits>;
  /**
   * Until the next whole message. Between the parts of one a client can send no other, so nobody keeps half a message for longer;
   * whoever is just quiet sends keep-alives.
   */
  readonly messageTimes: TimeLimit<ConnectionLimits>;
  readonly unsignedRates: TrafficRates;
  readonly unsignedOfAddresses: Shares<string>;
  readonly connectionRates: TrafficRates;
  /** Of deliveries that come back. */
  readonly sentBack: CausedLimits;
  /** Of acknowledgements that have to be parsed. */
  readonly acknowledgements: CausedLimits;
  readonly #config: GatewayLimitsConfig;
  readonly #handshakes: Shares<string>;
  readonly #signIns: Shares<string>;
  readonly #codeRequests: Shares<string>;
  readonly #refusedGuesses: Shares<string>;
  readonly #lookups: Shares<number>;
  /** Of acknowledgements that are not looked up. Only connections that send them have it. */
  readonly #ignored = new WeakMap<object, Traffic>();
  readonly #flooded = new RecentKeys<string>(floodedForMs);

  constructor(config: GatewayLimitsConfig, { limited }: Pick<GatewayMetrics, 'limited'>, log: Log) {
    this.#config = config;
    this.report = new LimitReport(limited, log);
    this.unsignedRates = {
      frames: config.LIMIT_UNSIGNED_FRAMES,
      bytes: config.LIMIT_UNSIGNED_BYTES,
      refusalsMax: Math.min(refusalsMax, config.LIMIT_UNSIGNED_FRAMES.points),
    };
    this.unsignedOfAddresses = new Shares(inNumber(config.LIMIT_UNSIGNED_FRAMES_PER_ADDRESS));
    this.connectionRates = {
      frames: config.LIMIT_FRAMES_PER_CONNECTION,
      bytes: config.LIMIT_BYTES_PER_CONNECTION,
      refusalsMax: Math.min(refusalsMax, config.LIMIT_FRAMES_PER_CONNECTION.points),
    };
    const ofAddress = { frames: config.LIMIT_FRAMES_PER_ADDRESS, bytes: config.LIMIT_BYTES_PER_ADDRESS };
    const ofUser = { frames: config.LIMIT_FRAMES_PER_USER, bytes: config.LIMIT_BYTES_PER_USER };
    this.sentBack = {
      connectionRates: this.connectionRates,
      addresses: new Shares(ofAddress),
      users: new Shares(ofUser),
    };
    this.acknowledgements = {
      connectionRates: inNumber(config.LIMIT_ACKNOWLEDGEMENTS_PER_CONNECTION),
      addresses: new Shares(inNumber(config.LIMIT_ACKNOWLEDGEMENTS_PER_ADDRESS)),
      users: new Shares(inNumber(config.LIMIT_ACKNOWLEDGEMENTS_PER_USER)),
    };
    this.addresses = new Shares(ofAddress);
    this.users = new Shares({
      ...ofUser,
      refusalsMax: Math.min(refusalsMax, config.LIMIT_FRAMES_PER_USER.points),
    });
    this.#handshakes = new Shares(inNumber(config.LIMIT_HANDSHAKES_PER_ADDRESS));
    this.#signIns = new Shares(inNumber(config.LIMIT_SIGN_INS_PER_USER));
    this.#codeRequests = new Shares(inNumber(config.LIMIT_CODE_REQUESTS_PER_ADDRESS));
    this.#refusedGuesses = new Shares(inNumber(config.LIMIT_REFUSED_GUESSES_PER_ADDRESS));
    this.#lookups = new Shares(inNumber(config.LIMIT_UNKNOWN_ACKNOWLEDGEMENTS));
    this.signInTimes = new TimeLimit({
      withinMs: config.SIGN_IN_WITHIN_SECONDS * 1_000,
      onOver: ({ socket, source }) => {
        this.report.add('sign_in_time', source);
        socket.end(closeReasons.signInTimeout);
      },
    });
    this.messageTimes = new TimeLimit({
      withinMs: config.MESSAGE_WITHIN_SECONDS * 1_000,
      isRenewed(connection) {
        const { hasSent } = connection;
        connection.hasSent = false;
        return hasSent;
      },
      onOver: ({ socket, source }) => {
        this.report.add('message_time', source);
        socket.end(closeReasons.messageTimeout);
      },
    });
  }

  /**
   * @param handshakes those that wait, and will be connections without a sign-in
   * @returns how one more handshake of this address is refused, and counts it; undefined if it is not
   */
  refusalOf(address: string, handshakes: Waiting): HandshakeRefusal | undefined {
    const source = networkOf(address);
    if (!this.#handshakes.takeOne(source)) {
      this.report.add('address_handshakes', source);
      return tooOftenOfAddress();
    }
    const waiting = handshakes.waitingOf(source);
    const { connections, unsigned } = this.addresses.find(source) ?? { connections: 0, unsigned: 0 };
    const { LIMIT_CONNECTIONS_PER_ADDRESS, LIMIT_UNSIGNED_CONNECTIONS_PER_ADDRESS } = this.#config;
    const isFull = connections + waiting >= LIMIT_CONNECTIONS_PER_ADDRESS;
    if (!isFull && unsigned + waiting < LIMIT_UNSIGNED_CONNECTIONS_PER_ADDRESS) return undefined;
    this.report.add(isFull ? 'address_connections' : 'address_unsigned_connections', source);
    return tooManyOfAddress();
  }

  /** How long a handshake of this address that is not refused has to wait; counts it if so. */
  handshakeDelayMs(address: string): number {
    const source = networkOf(address);
    if (!this.#flooded.has(source)) return 0;
    this.report.add('address_floods', source);
    const { least, most } = floodedDelayMs;
    return least + Math.random() * (most - least);
  }

  /** A connection of this source is closed because it sent too much. */
  flooded(source: string): void {
    this.#flooded.add(source);
  }

  /** A connection was opened. */
  open(socket: Socket): ConnectionLimits {
    return new ConnectionLimits(this, socket, networkOf(socket.address));
  }

  /**
   * Whether somebody may sign in once more; counts it if not. Only sign-ins that succeeded are held against them: nobody
   * else can use them up.
   * @returns undefined, or in how many seconds they may
   */
  signInWait(sid: string): number | undefined {
    const waitSeconds = this.#signIns.find(sid)?.traffic.waitSeconds(0) ?? 0;
    if (waitSeconds === 0) return undefined;
    this.report.add('user_sign_ins', 'of a user');
    return waitSeconds;
  }

  signedIn(sid: string): void {
    this.#signIns.takeOne(sid);
  }

  /**
   * Counts a request for a code. What each costs, before it is known whether one is sent, is some questions to the
   * database.
   * @returns undefined, or in how many seconds an address may ask again
   */
  codeRequestWait(source: string): number | undefined {
    const traffic = this.#codeRequests.bucketOf(source);
    if (traffic.take(0) === undefined) return undefined;
    this.report.add('address_code_requests', source);
    return traffic.waitSeconds(0);
  }

  /**
   * Whether the core is not asked about a code that somebody signs in with, since it refused many others of this source:
   * whether the code is right does not matter then. The first of each connection is always asked, so whoever shares an
   * address with those who guess reaches the core, which has a reserve for them.
   * @returns undefined, or in how many seconds it is asked
   */
  guessWait(connection: ConnectionLimits): number | undefined {
    const { source, isFirstGuess } = connection;
    connection.isFirstGuess = false;
    const waitSeconds = this.#refusedGuesses.find(source)?.traffic.waitSeconds(0) ?? 0;
    if (isFirstGuess || waitSeconds === 0) return undefined;
    this.report.add('address_guesses', source);
    return waitSeconds;
  }

  /** The core refused a code of this source, whatever it was. */
  guessRefused(source: string): void {
    this.#refusedGuesses.takeOne(source);
  }

  /** Closes the connections of a user that are too many, those that signed in first. @param connections in that order */
  closeExcess(userId: number, connections: Connections): void {
    this.closeFirst(userId, connections, connections.length - this.#config.LIMIT_CONNECTIONS_PER_USER);
  }

  /** Closes so many connections of a user, those that signed in first. @param connections in that order */
  closeFirst(userId: number, connections: Connections, count: number): void {
    let left = count;
    for (const { socket } of [...connections]) {
      if (left <= 0) return;
      left -= 1;
      this.report.add('user_connections', userId);
      socket.end(closeReasons.tooManyConnections);
    }
  }

  /**
   * Whether an acknowledgement of a message that this gateway does not know is looked up; counts it if not. Those whose
   * message is the user's are given back. A connection that goes on with others is closed.
   */
  looksUp(connection: Connection, userId: number): boolean {
    if (this.#lookups.takeOne(userId)) return true;
    this.report.add('unknown_acknowledgements', userId);
    let ignored = this.#ignored.get(connection);
    if (!ignored) {
      ignored = new Traffic(inNumber(ignoredRate));
      this.#ignored.set(connection, ignored);
    }
    if (ignored.take(0)) connection.socket.end(closeReasons.tooFast);
    return false;
  }

  /** So many acknowledgements that were looked up are of messages of the user. */
  found(userId: number, count: number): void {
    this.#lookups.find(userId)?.traffic.giveBack(count);
  }
}

/** Rates of what has no size. */
function inNumber(frames: TrafficRates['frames']): TrafficRates {
  return { frames, bytes: { points: 1, seconds: 1 } };
}
