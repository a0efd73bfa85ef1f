import type { HandshakeRefusal } from '../websocket-server.ts';

/** An address has as many connections as it may have. */
export function tooManyOfAddress(): HandshakeRefusal {
  return {
    reason: 'address',
    status: '429 Too Many Requests',
    text: 'Your address has too many connections. Close one of them, or connect again later.\n',
    retryAfterSeconds: secondsBetween(10, 60),
  };
}

/** An address connects again and again, or many clients of it at once. */
export function tooOftenOfAddress(): HandshakeRefusal {
  return {
    reason: 'address',
    status: '429 Too Many Requests',
    text: 'Your address connects too often. Connect again later.\n',
    retryAfterSeconds: secondsBetween(10, 60),
  };
}

/** The gateway has as many connections as it takes. Behind a load balancer, another one has room. */
export function gatewayFull(): HandshakeRefusal {
  return {
    reason: 'full',
    status: '503 Service Unavailable',
    text: 'This gateway is full. Connect again.\n',
    retryAfterSeconds: secondsBetween(1, 10),
  };
}

/** At random: not all that are refused come back at once. */
function secondsBetween(min: number, max: number): number {
  return min + Math.floor(Math.random() * (max - min + 1));
}
