import { isPortFree } from '@hooligram/local';
import { firstPortOf, slotPorts, slots } from './slots.ts';

// A block is a worker's own: no other worker, and no other run, looks for ports in it.
const blockPorts = 100;

let next = 0;

/** Ports that were free a moment ago and that no other test is given while this file runs. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let looked = 0; ports.length < count; looked += 1) {
    if (looked === blockPorts) throw new Error(`no ${count} ports are free from ${blockStart()} on`);
    const port = blockStart() + next;
    next = (next + 1) % blockPorts;
    if (await isPortFree(port)) ports.push(port);
  }
  return ports;
}

function blockStart(): number {
  const slot = Number(process.env.HOOLIGRAM_TEST_SLOT ?? slots);
  const worker = (Number(process.env.JEST_WORKER_ID ?? 1) - 1) % (slotPorts / blockPorts);
  return firstPortOf(slot) + worker * blockPorts;
}
