import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { build } from 'esbuild';

const room = fileURLToPath(new URL('..', import.meta.url));

test('a browser gets all of the client in less than 12 KB gzipped, and nothing else', async () => {
  const { outputFiles, metafile } = await build({
    stdin: { contents: "export * from '@hooligram/client';", resolveDir: room },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    metafile: true,
    absWorkingDir: room,
  });
  const [{ contents } = { contents: new Uint8Array() }] = outputFiles;
  expect(Object.keys(metafile.inputs)).toEqual(['dist/index.js', '<stdin>']);
  expect(contents.length).toBeGreaterThan(10_000);
  expect(gzipSync(contents).length).toBeLessThan(12_000);
});
