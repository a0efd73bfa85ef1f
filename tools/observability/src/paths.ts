import { fileURLToPath } from 'node:url';

// From src/ and from dist/ alike.
export const root = fileURLToPath(new URL('../../../', import.meta.url));
