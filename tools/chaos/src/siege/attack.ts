import { ProtocolClient, type ProtocolClientOptions } from '@hooligram/protocol-client';

/** What an attacker knows and has. */
export type Target = {
  readonly url: string;
  /** The number of an honest user. */
  readonly victim: string;
  /** Tells the sids of this attack from those of all others: three digits. */
  readonly serial: string;
  /** For data that would take hours to make. No attacker has it. */
  readonly databaseUrl: string;
};

/** How far those have come who are in the middle of an attack, and have to reach their aim in spite of it. */
export type Progress = { what: string; wanted: number; reached: number };

export type Attack = {
  readonly about: string;
  /**
   * Resolves when the attack is under way; it goes on until the process ends.
   * @param progress kept up by attacks in which somebody has an aim
   */
  start(target: Target, progress: Progress): Promise<void>;
};

const timeoutMs = 30_000;
export const times = <T>(count: number, make: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n));
/** Each attack has a network of its own. */
const address = ({ serial }: Target, n = 1) => `127.${100 + Number(serial)}.${n >> 8}.${1 + (n & 127)}`;
export const sidOf = ({ serial }: Target, n: number) => `888.4${serial}${String(n).padStart(7, '0')}`;

export async function open(
  target: Target,
  n = 1,
  options: Partial<ProtocolClientOptions> = {},
): Promise<ProtocolClient> {
  const client = new ProtocolClient(target.url, { timeoutMs, localAddress: address(target, n), ...options });
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

export function returning(target: Target, n: number): () => Promise<ProtocolClient> {
  return async () => {
    const client = await open(target, n);
    await client.authorize(sidOf(target, n));
    return client;
  };
}
