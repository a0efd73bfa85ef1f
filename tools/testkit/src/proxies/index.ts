export { FaultyTcpProxy } from './faulty-tcp-proxy.ts';
export {
  type Faults,
  FaultyWebSocketProxy,
  type PassingFrame,
  type ProxiedConnection,
} from './faulty-websocket-proxy.ts';
