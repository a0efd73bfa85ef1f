import { isPortFree } from '@hooligram/local';

// Below the range from which systems pick ports for outgoing connections (Linux: from 32768), and above the
// ports of a local stack. A slot is a test run's own, a block a worker's own: no other worker and no other
// run looks for ports in it. (get-port picks from one range for all, and would race.)
const firstPort = 20_000;
const slotPorts = 1_000;
const blockPorts = 100;
/** Of what is no test run: it must not take the ports of one. */
const noTestRun = 11;

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
  const slot = Number(process.env.HOOLIGRAM_TEST_SLOT ?? noTestRun);
  const worker = (Number(process.env.JEST_WORKER_ID ?? 1) - 1) % (slotPorts / blockPorts);
  return firstPort + slot * slotPorts + worker * blockPorts;
}
