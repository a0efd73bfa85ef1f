/**
 * A slot is a range of ports. Below the range from which systems pick ports for outgoing connections (Linux: from 32768),
 * and above the ports of a local stack. (get-port picks from one range for all, and would race.)
 */
export const slotPorts = 1_000;

/** As many test runs as can be on a machine at once. The slot behind theirs is that of what is no test run. */
export const slots = 11;

export function firstPortOf(slot: number): number {
  return 20_000 + slot * slotPorts;
}
