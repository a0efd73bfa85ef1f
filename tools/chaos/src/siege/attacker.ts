import { giveWay } from '@hooligram/testkit';
import type { Progress, Target } from './attack.ts';
import { type AttackName, attacks } from './attacks.ts';

// A process of its own, so that what the attacker needs of a CPU does not delay the honest users' clocks. In earnest it
// has a machine of its own: here it gives way to servers and users, and the table says how much CPU it had.
giveWay();
process.on('disconnect', () => process.exit());
process.once('message', async ({ name, target }: { name: AttackName; target: Target }) => {
  const progress: Progress = { what: '', wanted: 0, reached: 0 };
  try {
    await attacks[name].start(target, progress);
    process.send?.({ started: true });
    process.on('message', () => {
      const { user, system } = process.cpuUsage();
      process.send?.({ cpuSeconds: (user + system) / 1_000_000, progress });
    });
  } catch (error) {
    process.send?.({ error: (error as Error).message });
  }
});
