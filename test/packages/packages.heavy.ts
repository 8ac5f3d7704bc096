/**
 * Tests the packages of `npm run packages` as their users get them: packed, and installed into an empty folder with
 * only the package registry to reach.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { browserTest, openPage } from '../harness/browser.ts';
import { ROOT } from '../harness/checkout.ts';
import { atTheEnd, eventually } from '../harness/gateway.ts';

/**
 * Compiler of TypeScript 5, which the package checker depends on. Later compilers do not support
 * `moduleResolution: node10`.
 */
const COMPILER = createRequire(createRequire(import.meta.url).resolve('@arethetypeswrong/core')).resolve(
  'typescript/bin/tsc',
);
/** Peers of the client that its entries import, in the versions of this checkout. */
const PEERS = ['@apollo/client', '@types/react', '@urql/core', 'graphql', 'graphql-ws', 'react', 'rxjs'];
/** Packages with which an application of React is built. */
const TOOLS = ['@types/react-dom', 'react-dom', 'vite'];
const PACKAGES = ['client', 'vkyc-gateway'] as const;
const run = promisify(execFile);

/** Settings of frontends: `module`, `moduleResolution`, and the `type` in package.json (ESM or CommonJS). */
const WAYS = [
  ['CommonJS', 'node10', 'commonjs'],
  ['Node16', 'node16', 'commonjs'],
  ['Node16', 'node16', 'module'],
  ['NodeNext', 'nodenext', 'commonjs'],
  ['NodeNext', 'nodenext', 'module'],
  ['ESNext', 'bundler', 'module'],
] as const;

const TYPED = `import { createClient } from 'graphql-ws';
import { type FeedState, resuming } from '@vkyc-gateway/client';
import { VkycFloor, VkycWatchFloor, VkycWatchSession, type VkycWatchSessionSubscription } from '@vkyc-gateway/client/operations';
import { possibleTypes } from '@vkyc-gateway/client/possible-types';
import { createApolloClient, toDocument } from '@vkyc-gateway/client/apollo';
import { useFeedState, useLiveSession, useLiveSessions } from '@vkyc-gateway/client/react';
import { orderGuardExchange } from '@vkyc-gateway/client/urql';
export const client = resuming(createClient, { url: 'ws://127.0.0.1:4000/graphql' }, { onState: (state: FeedState) => { state; } });
client.subscribe<VkycWatchSessionSubscription>({ query: VkycWatchSession }, {
  next: ({ data }) => { if (data?.sessionLive.__typename === 'SessionSnapshot') data.sessionLive.session.version.toFixed(); },
  error() {}, complete() {},
});
export const apollo = createApolloClient({ url: 'http://127.0.0.1:4000/graphql', live: client });
apollo.subscribe({ query: toDocument(VkycWatchSession), variables: { sessionId: '' } })
  .subscribe(({ data }) => { data?.sessionLive.__typename; });
export function useNames(): string[] {
  const { sessions } = useLiveSessions(client, { list: VkycFloor, watch: VkycWatchFloor }, { first: 20 });
  return sessions.map(({ verificationId }) => verificationId.trim());
}
export const useVersion = () => useLiveSession(client, VkycWatchSession, '1').session?.version.toFixed();
export const useReason = () => useFeedState(client)?.reason;
export const exchanges = [orderGuardExchange()];
export const names: string[] = possibleTypes.MutationError ?? [];
// @ts-expect-error no such state
export const misspelt: FeedState = 'alive';
`;

let leftOut: string | null = null;
let folder = '';
const tarballs: Record<string, string> = {};

beforeAll(async () => {
  leftOut = await run('npm', ['view', 'graphql@16.15.0', 'version', '--fetch-retries=0']).then(
    () => null,
    () => 'The package registry cannot be reached.',
  );
  if (leftOut) return console.warn(`All tests of the packages are SKIPPED: ${leftOut}`);
  folder = await mkdtemp(join(tmpdir(), 'vkyc-packages-'));
  atTheEnd(() => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }));
  const built = await run('npm', ['run', '--silent', 'packages'], { cwd: ROOT });
  process.stderr.write(built.stdout);
  for (const name of PACKAGES) {
    const packed = join(folder, name);
    await mkdir(packed);
    await run('npm', ['pack', '--silent', '--pack-destination', packed], {
      cwd: join(ROOT, '.build/packages', name),
    });
    tarballs[name] = join(packed, (await readdir(packed))[0] as string);
  }
  await mkdir(join(folder, 'app'));
  await writeFile(join(folder, 'app/package.json'), '{ "private": true, "type": "module" }');
  const { devDependencies, dependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const peers = [...PEERS, ...TOOLS].map(
    (name) => `${name}@${{ ...devDependencies, ...dependencies }[name]}`,
  );
  await install([...Object.values(tarballs), ...peers]);
}, 300_000);

beforeEach(({ skip }) => {
  if (leftOut) skip(leftOut);
});

const app = (): string => join(folder, 'app');

/** Installs packages into the empty folder. If npm fails, the error contains its output. */
async function install(names: readonly string[]): Promise<void> {
  const options = ['--no-audit', '--no-fund', '--prefer-offline', '--engine-strict=false'];
  await run('npm', ['install', ...options, ...names], { cwd: app() }).catch(({ stdout, stderr }) => {
    throw new Error(`npm install failed:\n${stdout}\n${stderr}`);
  });
}

/** Runs `vkyc-gateway dev` in a folder, with a sandbox whose customers take no time. */
async function startDev(project: string, settings: Record<string, string> = {}) {
  await mkdir(project);
  const bin = join(app(), 'node_modules/.bin/vkyc-gateway');
  const args = [bin, 'dev', '--port', '0', '--sandbox-port', '0', '--speed', '1000'];
  const child = spawn(process.execPath, args, { cwd: project, env: { ...process.env, ...settings } });
  atTheEnd(async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output += chunk;
    });
  const url = await eventually(async () => {
    if (child.exitCode !== null) throw new Error(output);
    return output.match(/GraphQL +(http:\S+)\/graphql/)?.[1];
  });
  return { url, child, said: () => output };
}

describe.each(PACKAGES)('package %s', (name) => {
  test('publint finds nothing wrong with the packed package', async () => {
    const { messages } = await publint({
      pkgDir: join(ROOT, '.build/packages', name),
      pack: 'npm',
      strict: true,
    });

    expect(messages).toEqual([]);
  });

  test('the package can be published: it is not private, and has a licence, a version and provenance', async () => {
    const installed = name === 'client' ? '@vkyc-gateway/client' : name;
    const manifest = JSON.parse(
      await readFile(join(app(), 'node_modules', installed, 'package.json'), 'utf8'),
    );

    expect(manifest).not.toHaveProperty('private');
    expect(manifest).toMatchObject({ license: 'MIT', publishConfig: { access: 'public', provenance: true } });
    expect(manifest.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(await readFile(join(app(), 'node_modules', installed, 'LICENSE'), 'utf8')).toContain('MIT');
    expect(await readFile(join(app(), 'node_modules', installed, 'README.md'), 'utf8')).toContain('# ');
  });
});

describe('@vkyc-gateway/client', () => {
  /** Returns the entries that are code, such as `.` and `./operations`; the others are files. */
  async function entries(): Promise<string[]> {
    const path = join(app(), 'node_modules/@vkyc-gateway/client/package.json');
    const { exports } = JSON.parse(await readFile(path, 'utf8'));
    return Object.keys(exports).filter((entry) => typeof exports[entry] === 'object');
  }

  test('each entry has types of its own module kind (ESM or CommonJS) under every resolver', async () => {
    const packed = createPackageFromTarballData(await readFile(tarballs.client as string));

    const checked = await checkPackage(packed, {
      entrypoints: (await entries()).map((entry) => entry.slice(2)),
    });

    if (!checked.types) throw new Error('The package has no types');
    expect(checked.problems).toEqual([]);
  });

  test('the package brings no other package with it', async () => {
    const path = join(app(), 'node_modules/@vkyc-gateway/client/package.json');
    const manifest = JSON.parse(await readFile(path, 'utf8'));

    expect(manifest).not.toHaveProperty('dependencies');
    expect(Object.keys(manifest.peerDependenciesMeta)).toEqual(Object.keys(manifest.peerDependencies));
  });

  test.each(WAYS)(
    'an application compiles in strict mode with module %s and moduleResolution %s in a package of type %s',
    { timeout: 60_000 },
    async (module, moduleResolution, type) => {
      await writeFile(join(app(), 'package.json'), JSON.stringify({ private: true, type }));
      await writeFile(join(app(), 'app.ts'), TYPED);
      const options = ['--module', module, '--moduleResolution', moduleResolution, '--target', 'ES2022'];
      const args = [...options, '--strict', '--noEmit', '--skipLibCheck', '--lib', 'ES2023,DOM', 'app.ts'];

      const told = await run(process.execPath, [COMPILER, ...args], { cwd: app() }).then(
        () => '',
        ({ stdout }) => stdout,
      );

      expect(told).toBe('');
    },
  );

  test('Node loads every entry by import and by require', async () => {
    const names = (await entries()).map((entry) => `@vkyc-gateway/client${entry.slice(1)}`);
    await writeFile(join(app(), 'load.mjs'), names.map((name) => `await import('${name}');`).join('\n'));
    await writeFile(join(app(), 'load.cjs'), names.map((name) => `require('${name}');`).join('\n'));

    for (const file of ['load.mjs', 'load.cjs'])
      expect(await run(process.execPath, [file], { cwd: app() })).toEqual({ stdout: '', stderr: '' });
  });
});

describe('vkyc-gateway', () => {
  const program = (...args: string[]) =>
    run('npx', ['--no-install', 'vkyc-gateway', ...args], { cwd: app() });

  test('`vkyc-gateway schema` prints the schema, and writes it to a file', async () => {
    const schema = await readFile(join(ROOT, 'schema/schema.graphql'), 'utf8');

    expect((await program('schema')).stdout).toBe(schema);
    await program('schema', '--out', 'written.graphql');
    expect(await readFile(join(app(), 'written.graphql'), 'utf8')).toBe(schema);
    expect(JSON.parse((await program('schema', '--introspection')).stdout)).toHaveProperty('__schema');
  });

  test('a wrong command, a wrong option and a gateway that does not run are told in a sentence, without a stack', async () => {
    const told = async (...args: string[]) => {
      const { code, stderr } = await program(...args).then(
        () => expect.fail('The command succeeded.'),
        (error) => error,
      );
      expect(code).toBe(1);
      expect(stderr).not.toMatch(/^ +at /m);
      return stderr;
    };

    expect(await told('develop')).toContain('There is no command develop.');
    expect(await told('dev', '--prot', '1')).toContain("'--prot'");
    expect(await told('token', '--url', 'http://127.0.0.1:1')).toContain('No gateway answers');
  });

  test('`vkyc-gateway dev` runs gateway, PostgreSQL and sandbox in any folder, ignores the settings of other projects, and issues tokens', async () => {
    const project = join(folder, 'a project');
    const { url, child, said } = await startDev(project, {
      DATABASE_URL: 'postgres://127.0.0.1:1/other',
      HOST: '0.0.0.0',
      NODE_ENV: 'production',
    });

    const asha = ['--sub', 'asha', '--role', 'AGENT'];
    const token = (await program('token', '--url', url, ...asha)).stdout.trim();
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: '{ viewer { id roles } sessions(first: 1) { totalCount } }' }),
    });

    expect(await response.json()).toMatchObject({
      data: { viewer: { id: 'asha', roles: ['AGENT'] }, sessions: { totalCount: 0 } },
    });
    expect(said()).toContain('Ignored in development: DATABASE_URL, NODE_ENV, HOST.');
    for (const path of ['/console', '/graphiql']) expect((await fetch(url + path)).status, path).toBe(200);
    expect(await readFile(join(project, '.vkyc-gateway/.gitignore'), 'utf8')).toBe('*\n');
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    expect((await ended)[0], said()).toBe(0);
  });
});

describe('the page of the client package', () => {
  /** Bundles the application, and serves it at a port of its own. */
  async function serveApplication(project: string): Promise<string> {
    const vite = join(app(), 'node_modules/vite/bin/vite.js');
    await run(process.execPath, [vite, 'build', '--logLevel', 'error'], { cwd: project });
    const server = createServer(async ({ url = '/' }, response) => {
      const path = url === '/' ? '/index.html' : url;
      response.setHeader('content-type', path.endsWith('.js') ? 'text/javascript' : 'text/html');
      response.end(await readFile(join(project, 'dist', path)).catch(() => ''));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    atTheEnd(async () => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  browserTest(
    'an application with nothing but its React example compiles, and shows a session live from another port, and that it is offline',
    async () => {
      const readme = await readFile(join(app(), 'node_modules/@vkyc-gateway/client/README.md'), 'utf8');
      const example = readme.match(/```tsx\n(.*?)```/s)?.[1] as string;
      // Inside the folder in which the packages are installed, so that their imports are found.
      const project = join(app(), 'page');
      const { url } = await startDev(project);
      const files = {
        'index.html': '<!doctype html><div id="root"></div><script type="module" src="/main.tsx"></script>',
        'main.tsx': `import { createRoot } from 'react-dom/client';
import { Floor } from './floor.js';
createRoot(document.getElementById('root') as HTMLElement).render(<Floor />);
`,
        'floor.tsx': example.replace('ws://127.0.0.1:4000', url.replace('http', 'ws')),
        'tsconfig.json': JSON.stringify({
          compilerOptions: {
            ...{ target: 'ES2022', module: 'ESNext', moduleResolution: 'bundler', jsx: 'react-jsx' },
            ...{ strict: true, noEmit: true, skipLibCheck: true, lib: ['ES2023', 'DOM'] },
          },
        }),
      };
      for (const [name, text] of Object.entries(files)) await writeFile(join(project, name), text);
      await run(process.execPath, [COMPILER, '-p', project]).catch(({ stdout }) => expect.fail(stdout));
      const { page, strangers } = await openPage();
      await page.goto(await serveApplication(project));
      const shows = (text: RegExp) =>
        eventually(async () => text.test((await page.textContent('#root')) ?? ''));

      await shows(/^0 sessions, live$/);
      await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          query: `mutation { startSession(input: { verificationId: "page.happy-path", user: { phone: "9988776655" } }) { __typename } }`,
        }),
      });
      await shows(/^1 sessions, livepage\.happy-path: The auditor approved/);
      await page.context().setOffline(true);
      await shows(/^1 sessions, stale/);
      await page.context().setOffline(false);
      await shows(/^1 sessions, live/);

      expect(strangers).toEqual([]);
    },
  );
});
