import { joinConfig, serviceConfig } from '@hooligram/service';
import { canaryConfig } from '../../../apps/canary/src/config.ts';
import { coreConfig } from '../../../apps/core/src/config.ts';
import { gatewayConfig } from '../../../apps/gateway/src/config.ts';

/** What each program reads from its environment. */
export const configs = {
  gateway: joinConfig(serviceConfig, gatewayConfig),
  core: joinConfig(serviceConfig, coreConfig),
  canary: joinConfig(serviceConfig, canaryConfig),
} as const;
