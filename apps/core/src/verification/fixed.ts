import type { VerificationProvider } from './provider.ts';

/** One code for all users, which is not sent: for the local stack and tests. The config refuses it in production. */
export function createFixedProvider(code: string): VerificationProvider {
  return {
    name: 'fixed',
    createCode: () => code,
    send: async () => ({ ok: true }),
    check: async () => 'wrong',
  };
}
