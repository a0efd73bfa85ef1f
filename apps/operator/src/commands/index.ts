import type { Command } from 'commander';

type AddCommand = (program: Command) => void;

/**
 * Every command, in the order of the help. Each is loaded when it is called: the libraries for Postgres and for the jobs
 * take longer to load than most commands to run.
 */
export const commands = {
  doctor: async () => (await import('./doctor.ts')).addDoctor,
  config: async () => (await import('./config.ts')).addConfig,
  status: async () => (await import('./status.ts')).addStatus,
  drain: async () => (await import('./drain.ts')).addDrain,
  rebalance: async () => (await import('./rebalance.ts')).addRebalance,
  trace: async () => (await import('./trace.ts')).addTrace,
  sessions: async () => (await import('./sessions.ts')).addSessions,
  users: async () => (await import('./users.ts')).addUsers,
  'dead-letters': async () => (await import('./dead-letters.ts')).addDeadLetters,
  'after-restore': async () => (await import('./after-restore.ts')).addAfterRestore,
  'canonical-sids': async () => (await import('./canonical-sids.ts')).addCanonicalSids,
  chat: async () => (await import('./chat.ts')).addChat,
} satisfies Record<string, () => Promise<AddCommand>>;

/** Adds the command that is called; all of them if the call begins otherwise, as for help, and none for the release. */
export async function addCommands(program: Command, [called = '']: readonly string[]): Promise<void> {
  if (called === '--version') return;
  const loaders: [string, () => Promise<AddCommand>][] = Object.entries(commands);
  const wanted = Object.hasOwn(commands, called) ? loaders.filter(([name]) => name === called) : loaders;
  for (const [, load] of wanted) (await load())(program);
}
