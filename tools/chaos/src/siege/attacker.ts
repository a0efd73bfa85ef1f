import { type AttackName, attacks, type Target } from './attacks.ts';

// A process of its own, so that what the attacker needs of a CPU does not delay the honest users' clocks.
process.on('disconnect', () => process.exit());
process.once('message', async ({ name, target }: { name: AttackName; target: Target }) => {
  try {
    await attacks[name].start(target);
    process.send?.({ started: true });
  } catch (error) {
    process.send?.({ error: (error as Error).message });
  }
});
