import type { VerificationProvider } from './provider.ts';

/** One code for everybody, sent to nobody: for the local stack and tests. The config refuses it in production. */
export function createFixedProvider(code: string): VerificationProvider {
  return {
    name: 'fixed',
    createCode: () => code,
    send: async () => ({ ok: true }),
    check: async () => 'wrong',
  };
}
