import type { HandshakeRefusal } from '../websocket-server.ts';

const retryAfterMinSeconds = 10;
const retryAfterMaxSeconds = 60;

/** An address has as many connections as it may have. */
export function tooManyOfAddress(): HandshakeRefusal {
  return {
    status: '429 Too Many Requests',
    text: 'Your address has too many connections. Close one of them, or connect again later.\n',
    retryAfterSeconds: retryAfterSeconds(),
  };
}

/** At random: not all that are refused come back at once. */
function retryAfterSeconds(): number {
  return retryAfterMinSeconds + Math.floor(Math.random() * (retryAfterMaxSeconds - retryAfterMinSeconds + 1));
}
