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
  // Beside a stack: http://127.0.0.1:5173/?url=ws://127.0.0.1:8080/v2
  server: { host: '127.0.0.1', strictPort: true },
});
