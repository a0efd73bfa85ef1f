import { handleNodeCall, readStopping } from '@hooligram/contract';
import { createProcessStatus } from '@hooligram/service';
import type { Redis } from 'ioredis';
import type { CoreService } from './config.ts';
import type { Stores } from './stores.ts';

/** @returns does what operators ask of this core through one Redis @param command where it replies @param node its name */
export function createNodeCalls(
  service: CoreService,
  { command, names, signatures }: { command: Redis } & Pick<Stores, 'names' | 'signatures'>,
  node: string,
) {
  const { log } = service;
  const me = { node, role: 'core', replyChannels: names.operator('') } as const;
  const processStatus = createProcessStatus(service);
  const handlers = {
    STATUS: async () => ({
      ...(await processStatus()),
      gateway: null,
      signing_keys: signatures?.fingerprints ?? [],
    }),
  };

  async function handle(bytes: Buffer): Promise<void> {
    const handled = await handleNodeCall(bytes, me, handlers);
    if (handled) await command.publish(handled.channel, JSON.stringify(handled.reply));
  }

  return (bytes: Buffer): void => {
    const stopping = readStopping(bytes);
    if (stopping !== undefined) {
      service.nodes.stopped(stopping);
      return;
    }
    // Also while Redis is away: whoever asked does not hear of this node then.
    handle(bytes).catch((error: Error) =>
      log.warn({ reason: error.message }, 'a call of an operator failed'),
    );
  };
}
