export type { BalancedGateway, Balancer } from './balancer.ts';
export { type Haproxy, startHaproxy } from './haproxy.ts';
export { startNginx } from './nginx.ts';
