/**
 * A slot is a range of ports. Below the range from which systems pick ports for outgoing connections (Linux: from 32768),
 * and above the ports of a local stack. (get-port picks from one range for all, and would race.)
 */
export const slotPorts = 1_000;

/** As many test runs as can be on a machine at once. */
export const slots = 11;

/** Of what is no test run: it must not take the ports of one. */
export const noTestRun = slots;

export function firstPortOf(slot: number): number {
  return 20_000 + slot * slotPorts;
}
