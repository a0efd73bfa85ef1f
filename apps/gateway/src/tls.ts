import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { ConfigError, type Lifecycle, type Log } from '@hooligram/service';
import type { GatewayConfig } from './config.ts';

/** Files in PEM: the certificate with those that lead to a known authority behind it, and its key. */
export type TlsFiles = { readonly certFile: string; readonly keyFile: string };

/** @throws ConfigError when the files cannot be used */
export function tlsFilesOf({
  TLS_CERT_FILE: certFile,
  TLS_KEY_FILE: keyFile,
}: GatewayConfig): TlsFiles | undefined {
  if (certFile === undefined || keyFile === undefined) return undefined;
  try {
    checkTls({ certFile, keyFile });
  } catch (error) {
    throw new ConfigError(`TLS_CERT_FILE, TLS_KEY_FILE: ${(error as Error).message}`);
  }
  return { certFile, keyFile };
}

/**
 * Takes a new certificate on SIGHUP, from the same files: connections that are open keep theirs. What cannot be used is
 * logged, and the one before stays.
 *
 * @param renew takes the files again
 * @returns when the certificate for new connections runs out, in seconds since 1970, for metrics
 */
export function renewOnHangup(
  files: TlsFiles,
  { log, lifecycle }: { log: Log; lifecycle: Lifecycle },
  renew: () => Promise<void>,
): () => number {
  let expiresAt = checkTls(files);
  const reload = async () => {
    try {
      const next = checkTls(files);
      await renew();
      expiresAt = next;
      log.info({ expiresAt }, 'new connections get the certificate that was read again');
    } catch (error) {
      log.error({ reason: (error as Error).message }, 'the certificate stays as it was');
    }
  };
  const onHangup = () => void reload();
  process.on('SIGHUP', onHangup);
  lifecycle.onClose('certificate', () => process.off('SIGHUP', onHangup));
  return () => expiresAt.getTime() / 1_000;
}

/**
 * uWebSockets.js says of bad files only that they are bad.
 * @returns when the certificate runs out
 * @throws Error what is wrong with the files
 */
function checkTls({ certFile, keyFile }: TlsFiles): Date {
  const cert = readFileSync(certFile);
  createSecureContext({ cert, key: readFileSync(keyFile) });
  return new Date(new X509Certificate(cert).validTo);
}
