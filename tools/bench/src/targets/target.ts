import type { SpeechName } from '../load/speech.ts';
import type { Roles } from '../measure/roles.ts';

type TargetOptions = {
  readonly gateways: number;
  readonly cores: number;
  readonly port: number;
  readonly dataDir: string;
  /** For its processes, over what is around. */
  readonly env: NodeJS.ProcessEnv;
};

/** A system that is up and empty. */
export type RunningTarget = {
  readonly speech: SpeechName;
  /** Where clients connect, in turn. */
  readonly urls: readonly string[];
  /** The code that signs anybody in. */
  readonly code: string;
  /** Where people live already: the first number that nobody has. */
  readonly firstNumber?: number;
  /** Empty when its processes are not ours to measure. */
  roles(): Roles;
  /** Has each gateway replaced by a new process, which has held nobody yet; when nobody is connected. */
  renewGateways?(): Promise<void>;
  /** Of its Postgres, if that is ours. */
  readonly databaseUrl?: string;
  stop(): Promise<void>;
};

/** Something that can be measured. */
export type Target = {
  readonly about: string;
  start(options: TargetOptions, log: (line: string) => void, signal: AbortSignal): Promise<RunningTarget>;
};
