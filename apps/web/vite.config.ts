import { defineConfig } from 'vite';

// biome-ignore lint/style/noDefaultExport: Vite asks for one
export default defineConfig({
  build: {
    target: 'es2022',
    // The page's Content-Security-Policy takes no data: urls but for images.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  // Beside a stack, whose gateways it passes connections on to.
  server: {
    host: '127.0.0.1',
    strictPort: true,
    proxy: { '/v2': { target: 'http://127.0.0.1:8080', ws: true } },
  },
});
