import type { Command } from 'commander';
import { addAfterRestore } from './after-restore.ts';
import { addCanonicalSids } from './canonical-sids.ts';
import { addChat } from './chat.ts';
import { addConfig } from './config.ts';
import { addDeadLetters } from './dead-letters.ts';
import { addDoctor } from './doctor.ts';
import { addDrain } from './drain.ts';
import { addRebalance } from './rebalance.ts';
import { addSessions } from './sessions.ts';
import { addStatus } from './status.ts';
import { addTrace } from './trace.ts';
import { addUsers } from './users.ts';

/** Every command, in the order of the help. */
export function addCommands(program: Command): void {
  addDoctor(program);
  addConfig(program);
  addStatus(program);
  addDrain(program);
  addRebalance(program);
  addTrace(program);
  addSessions(program);
  addUsers(program);
  addDeadLetters(program);
  addAfterRestore(program);
  addCanonicalSids(program);
  addChat(program);
}
