import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: at('.'),
  base: '/console/',
  resolve: { alias: { 'vkyc-gateway/client': at('../client/resuming.ts') } },
  plugins: [react(), compressed()],
  // With `npm run dev`, Vite serves the console with hot reload. API requests are forwarded to a running
  // gateway.
  server: { proxy: { '/graphql': { target: process.env.GATEWAY_URL ?? 'http://127.0.0.1:4000', ws: true } } },
  build: {
    outDir: at('../../.build/console'),
    emptyOutDir: true,
    // Lists the licences of the bundled packages, which the published package must contain.
    license: { fileName: 'licenses.md' },
    target: 'es2022',
    // First browser versions that support light-dark(). For older versions, Vite would replace light-dark()
    // by code that ignores the theme switch.
    cssTarget: ['chrome123', 'safari17.5', 'firefox120'],
    chunkSizeWarningLimit: 600,
  },
  logLevel: 'warn',
});

/**
 * Vite plugin that writes a gzip and a Brotli file next to each asset. The gateway chooses between them by
 * the header Accept-Encoding.
 */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    async writeBundle({ dir = '' }) {
      const assets = join(dir, 'assets');
      for (const name of await readdir(assets)) {
        const file = join(assets, name);
        const content = await readFile(file);
        await writeFile(`${file}.gz`, await promisify(gzip)(content, { level: 9 }));
        await writeFile(
          `${file}.br`,
          await promisify(brotliCompress)(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
        );
      }
    },
  };
}
