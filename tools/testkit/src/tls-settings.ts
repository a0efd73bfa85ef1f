import type { Certificate } from './certificates.ts';

/** What redis.conf and a Sentinel's say, so that clients and others of their kind are met at this port, over TLS. */
export function tlsSettings(port: number, { certFile, keyFile }: Certificate): Record<string, string> {
  return {
    'tls-port': String(port),
    'tls-cert-file': certFile,
    'tls-key-file': keyFile,
    'tls-ca-cert-file': certFile,
    'tls-auth-clients': 'no',
    'tls-replication': 'yes',
  };
}
