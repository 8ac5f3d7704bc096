/**
 * Builds what an npm script needs, then runs the script in this process, so that signals from npm or a
 * terminal reach it directly.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, LaunchError, say } from './build.mjs';
import { develop } from './dev.mjs';
import { endWithParent } from './end-with-parent.mjs';

const BUNDLES = ['compile', 'gateway', 'console'];

const SCRIPTS = {
  async start(root) {
    await build(root, BUNDLES, {
      async beforeBundles() {
        const { checkSettings } = await importFrom(root, '.build/commands/check-settings.js');
        await checkSettings(process.env);
      },
    });
    // Must be set before the bundle is loaded, because Node reads the source map together with the module.
    process.setSourceMapsEnabled(true);
    await run(root, '.build/gateway/main.js', []);
  },

  dev: (root) => develop(root),

  async build(root) {
    if (!(await build(root, BUNDLES))) say('Nothing has changed since the last build.');
    await linkLibraries(root);
  },

  async package(root) {
    await build(root, [...BUNDLES, 'declarations', 'commonjs']);
    // Marks the folder as CommonJS: Node and TypeScript read the module type of a file from the nearest
    // package.json.
    writeFileSync(join(root, '.build/client-cjs/package.json'), '{ "type": "commonjs" }\n');
  },

  async packages(root) {
    await build(root, [...BUNDLES, 'declarations', 'commonjs', 'packages']);
    const sizes = JSON.parse(readFileSync(join(root, '.build/packages/sizes.json'), 'utf8'));
    for (const [name, size] of Object.entries(sizes)) process.stdout.write(`${name.padEnd(44)} ${size}\n`);
  },

  compile: (root) => build(root, ['compile']),

  async test(root, args) {
    // Overrides a NODE_ENV=production from the shell, because it would change the behaviour of React and
    // other packages.
    process.env.NODE_ENV = 'test';
    await run(root, 'node_modules/vitest/vitest.mjs', ['run', ...args]);
  },

  async command(root, [name, ...args]) {
    await build(root, ['compile']);
    await run(root, `.build/commands/${name}.js`, args);
  },
};

/**
 * Builds what the npm script `name` needs, and runs the script.
 * @throws LaunchError that says what to type, if the script cannot be built or run
 */
export async function launch(root, name, args) {
  const script = SCRIPTS[name];
  if (!script) throw new LaunchError(`The script ${name} does not exist; package.json lists the scripts.`);
  endWithParent();
  await script(root, args);
}

const importFrom = (root, path) => import(pathToFileURL(join(root, path)).href);

async function run(root, path, args) {
  process.argv.splice(1, Infinity, join(root, path), ...args);
  await importFrom(root, path);
}

/**
 * Creates the symlinks that the embedded PostgreSQL needs, so that the build can later be started from a
 * read-only file system.
 */
async function linkLibraries(root) {
  const { symlinkPostgresLibraries } = await importFrom(root, '.build/postgres/embedded-postgres.js');
  await symlinkPostgresLibraries();
}
