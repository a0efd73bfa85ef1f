import { boolean, integer, rate } from '@hooligram/service';
import { z } from 'zod';

/** Every bucket of bytes has room for the largest frame. */
const largestFrame = { pointsMin: 65_536 };

/**
 * What one client may cost a gateway. A client that types, or that sends what it kept while it was away, is far below
 * all of them. Of the rates, as much as a full bucket may come at once.
 */
export const gatewayLimitsConfig = z.object({
  LIMITS_ENABLED: boolean().default(true).describe('whether any of the limits is in force'),
  LIMIT_CONNECTIONS_PER_ADDRESS: integer({ min: 1 })
    .default(1_000)
    .describe('most connections of an address; more get 429 with Retry-After'),
  LIMIT_UNSIGNED_CONNECTIONS_PER_ADDRESS: integer({ min: 1 })
    .default(200)
    .describe('most of them on which nobody is signed in'),
  LIMIT_HANDSHAKES_PER_ADDRESS: rate('2000/100', 'handshakes of an address; more get 429 with Retry-After'),
  LIMIT_CONNECTIONS_PER_USER: integer({ min: 1 })
    .default(20)
    .describe('most connections of a user on all gateways together; the one that signed in first is closed'),
  SIGN_IN_WITHIN_SECONDS: integer({ min: 1, max: 86_400 })
    .default(900)
    .describe('a connection on which nobody signs in, nor asks for a code, for so long is closed'),
  MESSAGE_WITHIN_SECONDS: integer({ min: 1, max: 86_400 })
    .default(3_600)
    .describe(
      'a connection on which somebody is signed in, and from which no whole message comes for so long, nor a keep-alive, is closed: at the latest after twice as long',
    ),
  LIMIT_SIGN_INS_PER_USER: rate(
    '100/120',
    'successful sign-ins of a user on this gateway; a core counts those on all',
  ),
  LIMIT_UNSIGNED_FRAMES: rate('250/25', 'frames of a connection before its sign-in'),
  LIMIT_UNSIGNED_FRAMES_PER_ADDRESS: rate(
    '5000/25',
    'frames of all connections of an address before their sign-in, but for the first eight of each',
  ),
  LIMIT_UNSIGNED_BYTES: rate('131072/32', 'bytes of a connection before its sign-in', largestFrame),
  LIMIT_CODE_REQUESTS_PER_ADDRESS: rate(
    '10/20',
    'requests for a code of an address that the core is asked; how many are sent is the limits of the core',
  ),
  LIMIT_REFUSED_GUESSES_PER_ADDRESS: rate(
    '6/12',
    'sign-ins by code of an address that the core is asked once it refused as many, but for the first of each connection',
  ),
  LIMIT_FRAMES_PER_CONNECTION: rate('2000/20', 'frames of a connection'),
  LIMIT_BYTES_PER_CONNECTION: rate('1048576/16', 'bytes of a connection', largestFrame),
  LIMIT_FRAMES_PER_USER: rate('4000/20', 'frames of all connections of a user'),
  LIMIT_BYTES_PER_USER: rate('2097152/16', 'bytes of all connections of a user', largestFrame),
  LIMIT_FRAMES_PER_ADDRESS: rate('10000/10', 'frames of all connections of an address'),
  LIMIT_BYTES_PER_ADDRESS: rate('4194304/8', 'bytes of all connections of an address', largestFrame),
  LIMIT_ACKNOWLEDGEMENTS_PER_CONNECTION: rate(
    '20000/20',
    'acknowledgements of a connection that have to be parsed; more are ignored, and their deliveries come again',
  ),
  LIMIT_ACKNOWLEDGEMENTS_PER_USER: rate('40000/20', 'the same of all connections of a user'),
  LIMIT_ACKNOWLEDGEMENTS_PER_ADDRESS: rate('100000/20', 'the same of all connections of an address'),
  LIMIT_UNKNOWN_ACKNOWLEDGEMENTS: rate(
    '1000/50',
    'acknowledgements of a user that have to be looked up; more are ignored, and a thousand ignored ones close a connection',
  ),
});

export type GatewayLimitsConfig = Readonly<z.output<typeof gatewayLimitsConfig>>;
