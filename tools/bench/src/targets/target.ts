import type { RedisForm } from '@hooligram/local';
import type { CodecName } from '../load/codec.ts';
import type { Span } from '../load/latencies.ts';
import type { Roles } from '../measure/roles.ts';

type TargetOptions = {
  readonly gateways: number;
  readonly cores: number;
  readonly redis: RedisForm;
  readonly port: number;
  readonly dataDir: string;
  /** Added to the environment of its processes. */
  readonly env: NodeJS.ProcessEnv;
};

/** A system that is up and empty. */
export type RunningTarget = {
  readonly codec: CodecName;
  /** Clients connect to them in turn. */
  readonly urls: readonly string[];
  /** The verification code of every user. */
  readonly code: string;
  /** The first phone number that is free; absent on an empty system. */
  readonly firstNumber?: number;
  /** Empty when its processes are not ours to measure. */
  roles(): Roles;
  /** Replaces each gateway by a new process, which has had no connection yet. No client may be connected. */
  renewGateways?(): Promise<void>;
  /** Where each of its processes exposes its metrics; absent if they are not ours. */
  metricsUrls?(): readonly string[];
  /**
   * Reads the metrics of each of its processes once, spread evenly over so many milliseconds. Where it is present, a trial
   * compares turns with it and turns without.
   * @returns when each was read, see `machineTime`
   * @throws Error when a process does not give them
   */
  scrape?(spreadMs: number): Promise<readonly Span[]>;
  /** Its stores, and where its processes expose their counters; absent if they are not ours. */
  stores?(): {
    readonly databaseUrl: string;
    readonly redisUrls: readonly string[];
    readonly metricsUrls: readonly string[];
  };
  stop(): Promise<void>;
};

/** A system that can be measured. */
export type Target = {
  readonly about: string;
  start(options: TargetOptions, log: (line: string) => void, signal: AbortSignal): Promise<RunningTarget>;
};
