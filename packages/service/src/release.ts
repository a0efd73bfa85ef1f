import { readFileSync } from 'node:fs';

// From src/ and from dist/ alike.
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** The release of this program, as its processes name it. All packages have the same. */
export const release: string = version;
