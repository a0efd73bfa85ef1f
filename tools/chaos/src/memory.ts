import type { StackDescription } from '@hooligram/local';
import { metrics } from '@hooligram/testkit';

const mebibyte = 2 ** 20;

/** Resident memory of all gateways and all cores, in MiB. */
export type Memory = { readonly gateways: number; readonly cores: number };

export async function readMemory({ gateways, cores }: StackDescription): Promise<Memory> {
  const sum = async (nodes: readonly { readonly admin: string }[]) => {
    const all = await Promise.all(nodes.map(({ admin }) => metrics(admin)));
    const bytes = all.reduce((total, { value }) => total + value('process_resident_memory_bytes'), 0);
    return Math.round(bytes / mebibyte);
  };
  return { gateways: await sum(gateways), cores: await sum(cores) };
}

export function memoryText({ gateways, cores }: Memory): string {
  return `gateways ${gateways} MiB, cores ${cores} MiB`;
}
