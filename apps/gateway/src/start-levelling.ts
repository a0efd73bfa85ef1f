import { readLevel } from '@hooligram/contract';
import type { ServiceContext } from '@hooligram/service';
import type { Bus } from './bus.ts';
import type { gatewayConfig } from './config.ts';
import { Levelling, levelEveryMs } from './levelling.ts';
import type { Sessions } from './sessions.ts';
import type { Steering } from './steering.ts';

/** Levels the load of the gateways by itself, if that is configured. */
export function startLevelling(
  { config, log, lifecycle }: ServiceContext<typeof gatewayConfig>,
  sessions: Sessions,
  steering: Steering,
) {
  if (config.LEVEL_FACTOR === 0) return undefined;
  let levelling: Levelling | undefined;
  let isReady = false;
  let isClosed = false;

  return {
    receive(bytes: Buffer): void {
      levelling?.receive(readLevel(bytes));
    },
    open(bus: Bus): void {
      levelling = new Levelling({
        node: bus.node,
        factor: config.LEVEL_FACTOR,
        level: () => ({ connections: sessions.size, is_open: isReady && steering.status.kind !== 'drain' }),
        isShedding: () => steering.status.kind === 'shed',
        shed(connections) {
          log.info({ connections, of: sessions.size }, 'too full: the surplus is sent away');
          steering.shed(connections, null);
        },
      });
      const look = async () => {
        isReady = (await lifecycle.readiness()).ready;
        // One that stops goes on telling: the others must not count it.
        if (levelling && !isClosed) bus.publish(bus.names.levels, levelling.look());
      };
      const timer = setInterval(() => void look(), levelEveryMs);
      lifecycle.onClose('levelling', () => {
        isClosed = true;
        clearInterval(timer);
      });
    },
  };
}
