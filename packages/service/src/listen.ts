import type { Server } from 'node:http';
import { ConfigError } from './config.ts';

/** Listens, and gives the port. Rejects with one line that names the variable to change. */
export function listen(
  server: Server,
  at: { host: string; port: number; variable: string },
): Promise<number> {
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException) => reject(listenError(error, at));
    server.once('error', refuse);
    server.listen(at.port, at.host, () => {
      server.off('error', refuse);
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : at.port);
    });
  });
}

/** What an operator reads when a socket cannot listen: `port 9081 is in use (ADMIN_PORT)`. */
function listenError(
  error: NodeJS.ErrnoException,
  at: { host: string; port: number; variable: string },
): ConfigError {
  if (error.code === 'EADDRINUSE') return new ConfigError(`port ${at.port} is in use (${at.variable})`);
  return new ConfigError(
    `cannot listen on ${at.host}:${at.port} (${at.variable}): ${error.code ?? error.message}`,
  );
}
