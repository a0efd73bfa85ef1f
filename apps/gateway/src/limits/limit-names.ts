/** The values of the label `limit`. */
export const gatewayLimits = [
  'address_connections',
  'address_unsigned_connections',
  'address_handshakes',
  'address_floods',
  'user_connections',
  'known_refusals',
  'sign_in_time',
  'user_sign_ins',
  'unsigned_frames',
  'unsigned_bytes',
  'address_unsigned_frames',
  'address_code_requests',
  'address_guesses',
  'connection_frames',
  'connection_bytes',
  'user_frames',
  'user_bytes',
  'address_frames',
  'address_bytes',
  'deliveries_sent_back',
  'connection_acknowledgements',
  'unknown_acknowledgements',
] as const;

export type GatewayLimit = (typeof gatewayLimits)[number];
