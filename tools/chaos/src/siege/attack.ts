import { ProtocolClient, type ProtocolClientOptions, type ReceivedFrame } from '@hooligram/protocol-client';
import type { CodeOwner } from './honest-users.ts';

/** What an attacker knows and has. */
export type Target = {
  readonly url: string;
  /** Of all gateways; the first of them is `url`. */
  readonly urls: readonly string[];
  /** The number of an honest user, and the address from which that user always comes. */
  readonly victim: string;
  readonly victimAddress: string;
  /** An honest number whose credential is a code, and the address that it is known from. */
  readonly codeOwner: CodeOwner;
  /** The numbers of all others. */
  readonly honest: readonly string[];
  /** Tells the sids of this attack from those of all others: three digits. */
  readonly serial: string;
  /** For data that would take hours to make. No attacker has it. */
  readonly databaseUrl: string;
};

/**
 * How far those have come who are in the middle of an attack, and have to reach their aim in spite of it; or, with `most`,
 * how far the attackers have come themselves, and may.
 */
export type Progress = {
  what: string;
  wanted: number;
  reached: number;
  most?: number;
  /** How many answers attackers got to what they tried. Without any, that they did not come through shows nothing. */
  tried?: { what: string; answers: number };
  /** What was answered, where that says more. */
  detail?: string;
};

/** How many reached their aim; or how often attackers came through, and of how many tries. */
export function progressText({ what, reached, wanted, most, tried, detail }: Progress): string {
  if (wanted > 0) return `${what}: ${reached} of ${wanted}`;
  const of = tried ? `, of ${tried.answers} ${tried.what}` : '';
  const answered = detail ? ` (${detail})` : '';
  return `${what}: ${reached}${most === undefined ? '' : ` (at most ${most})`}${of}${answered}`;
}

export type Attack = {
  readonly about: string;
  /**
   * Resolves when the attack is under way; it goes on until the process ends, however long that is: who is cut comes back.
   * @param progress kept up by attacks in which somebody has an aim
   */
  start(target: Target, progress: Progress): Promise<void>;
  /** Whether texts are sent by a provider that takes its time (`slow-provider.ts`). */
  readonly hasSlowProvider?: boolean;
};

/** @returns counts its calls, from 1 */
export function counter(): () => number {
  let counted = 0;
  return () => {
    counted += 1;
    return counted;
  };
}

const timeoutMs = 30_000;
export const times = <T>(count: number, make: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n));
/** Each attack has a network of its own. */
const address = ({ serial }: Target, n = 1) =>
  `127.${100 + Number(serial)}.${Math.floor(n / 250)}.${1 + (n % 250)}`;
/** Each account has a network of its own, and a prefix of numbers, so that no limit of theirs is in the way. */
export const apart = (n: number) => n * 256;
export const sidOf = ({ serial }: Target, n: number) => `888.4${serial}${String(n).padStart(7, '0')}`;

export async function open(
  target: Target,
  n = 1,
  options: Partial<ProtocolClientOptions> = {},
): Promise<ProtocolClient> {
  // Deliveries are acknowledged and forgotten: an attack may last for long.
  const readFrame = (text: string) => {
    const frame = JSON.parse(text) as ReceivedFrame;
    if (!frame.type.endsWith('_DELIVER_REQUEST')) return frame;
    if (options.acknowledge !== false) client.acknowledge(frame);
    return undefined;
  };
  const localAddress = address(target, n);
  const client = new ProtocolClient(target.url, { timeoutMs, localAddress, readFrame, ...options });
  await client.opened;
  return client;
}

/** An account of the attacker's: they have telephones, too. */
export async function account(target: Target, n: number): Promise<{ sid: string; client: ProtocolClient }> {
  const sid = sidOf(target, n);
  const client = await open(target, n);
  await client.signIn(sid);
  return { sid, client };
}

export function returning(
  target: Target,
  n: number,
  options?: Partial<ProtocolClientOptions>,
): () => Promise<ProtocolClient> {
  return async () => {
    const client = await open(target, n, options);
    await client.authorize(sidOf(target, n));
    return client;
  };
}

/** Reads frames: counts the answers to a request, and those that are SUCCESS; keeps those that a client waits for to be signed in. */
export function counting(progress: Progress, request: string): (text: string) => ReceivedFrame | undefined {
  const tried = { what: 'answers', answers: 0 };
  progress.tried = tried;
  return (text) => {
    if (text.includes(`"${request}_`)) tried.answers += 1;
    if (text.includes(`"${request}_SUCCESS"`)) progress.reached += 1;
    return answerToSignIn(text);
  };
}

/** @returns what a client waits for to be signed in */
export function answerToSignIn(text: string): ReceivedFrame | undefined {
  return text.includes('"AUTHORIZATION_') ? (JSON.parse(text) as ReceivedFrame) : undefined;
}
