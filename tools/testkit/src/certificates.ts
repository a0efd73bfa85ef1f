import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findOrInstall, findProgram } from '@hooligram/local';

export type Certificate = { readonly certFile: string; readonly keyFile: string };

/**
 * Makes a certificate for `localhost` and 127.0.0.1 that is its own authority.
 * @param name of the files, in that folder
 */
export async function makeCertificate(folder: string, name: string): Promise<Certificate> {
  const [certFile, keyFile] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  const openssl = await findOrInstall({
    name: 'openssl',
    find: () => findProgram('openssl'),
    debianPackage: 'openssl',
  });
  await promisify(execFile)(openssl, [
    ...['req', '-x509', '-nodes', '-days', '2', '-subj', `/CN=${name}`],
    ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
    ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-out', certFile, '-keyout', keyFile],
  ]);
  return { certFile, keyFile };
}
