import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ClientOptions, createClient } from 'graphql-ws';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { resuming } from '../src/client/resuming.ts';
import { replaceAccessTable } from '../src/domain/access-table.ts';
import { PROVIDER_PAIRS } from '../src/domain/status.ts';
import { LIMITS } from '../src/graphql/limits.ts';
import { FAULTS } from '../src/sandbox/faults.ts';
import { SCENARIOS } from '../src/sandbox/scenarios.ts';
import { atTheEnd, bootGateway } from './harness/gateway.ts';
import { TRANSPORTS } from './harness/transports.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGES = [
  ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'OPERATIONS.md', 'CHANGELOG.md'],
  ...[
    'schema/README.md',
    'schema/SUPERGRAPH.md',
    'src/client/README.md',
    'src/launch/README.md',
    'src/sandbox/README.md',
  ],
];

const read = (path: string) => readFile(join(ROOT, path), 'utf8');

/** Returns the anchors that GitHub generates for the headings of a page. */
const headingsOf = (markdown: string): string[] =>
  [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    (title as string)
      .toLowerCase()
      .replace(/[^\p{L}\d -]/gu, '')
      .replaceAll(' ', '-'),
  );

test('OPERATIONS.md documents every setting of the gateway, and src/sandbox/README.md every scenario and fault of the sandbox', async () => {
  const [operations, sandbox] = await Promise.all([read('OPERATIONS.md'), read('src/sandbox/README.md')]);
  const settings = [...(await read('src/environment.ts')).matchAll(/^ {2}([A-Z][A-Z_]+): /gm)].map(
    ([, name]) => name as string,
  );
  expect(settings).toContain('PROVIDER_CALLS_PER_MINUTE');

  const unnamed = (names: string[], page: string) => names.filter((name) => !page.includes(`\`${name}\``));
  // Leaves out NODE_ENV, which the platform that runs the process sets and documents.
  expect(unnamed(settings, operations).filter((name) => name !== 'NODE_ENV')).toEqual([]);
  expect(unnamed([...Object.keys(SCENARIOS), ...Object.keys(FAULTS)], sandbox)).toEqual([]);
});

test('schema/README.md has the current access table; `npm run roles` updates it', async () => {
  const page = await read('schema/README.md');

  expect(page).toBe(replaceAccessTable(page));
});

test('schema/README.md lists every limit of a GraphQL document that the gateway enforces', async () => {
  const [, section = ''] = (await read('schema/README.md')).split('## Limits');
  const numbers = new Set(
    [...(section.split('\n## ')[0] ?? '').matchAll(/[\d,]*\d/g)].map(([text]) =>
      Number(text.replaceAll(',', '')),
    ),
  );
  // Leaves out limits that the page gives in words (`__schema`, errors), and one that no client reaches
  // (comments).
  const { schemas: _, errors: __, comments: ___, ...limits } = LIMITS;

  expect(Object.entries(limits).filter(([, limit]) => !numbers.has(limit))).toEqual([]);
});

test('the README has at most 100 lines, and the number of status pairs of the provider', async () => {
  const readme = await read('README.md');

  expect(readme.split('\n').length).toBeLessThanOrEqual(100);
  expect(readme).toContain(`${PROVIDER_PAIRS.length} status pairs`);
});

test.each(PAGES)('every link in %s leads to a file or heading that exists', async (page) => {
  const text = await read(page);
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link as string)
    .filter((link) => !link.startsWith('http'));
  const broken: string[] = [];
  for (const link of links) {
    const [file = '', heading] = link.split('#');
    const target = file === '' ? page : join(dirname(page), file);
    const found = await readFile(join(ROOT, target), 'utf8').catch(async () =>
      (await readdir(join(ROOT, target))).join(),
    );
    if (heading && !headingsOf(found).includes(heading)) broken.push(link);
  }

  expect(broken).toEqual([]);
});

test('ARCHITECTURE.md lists exactly the invariants with which tests are marked (`// Invariant 1 of ARCHITECTURE.md`), and the files of those tests', async () => {
  const architecture = await read('ARCHITECTURE.md');
  const [, list = ''] = architecture.match(/^## Invariants$(.*?)^## /ms) ?? [];
  const listed = [...list.matchAll(/^(\d+)\. (.*)$/gm)].flatMap(([, number, line = '']) =>
    [...line.matchAll(/\]\((test\/[^)]+)\)/g)].map(([, file]) => `${number} ${file}`),
  );
  const marked: string[] = [];
  for (const file of await readdir(join(ROOT, 'test'), { recursive: true })) {
    if (!/\.(test|perf|heavy)\.ts$/.test(file)) continue;
    const marks = (await read(`test/${file}`)).matchAll(/^\s*\/\/ Invariant (\d+) of ARCHITECTURE\.md$/gm);
    for (const [, number] of marks) marked.push(`${number} test/${file.replaceAll('\\', '/')}`);
  }

  expect(listed.length).toBeGreaterThan(10);
  expect([...new Set(marked)].sort()).toEqual([...listed].sort());
});

const snippetsOf = (readme: string, language: string): string[] =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, code]) => code as string,
  );

const withoutComments = (text: string): string => text.replaceAll(/^ *#.*\n/gm, '');

test('the code snippets of README.md and schema/README.md run unchanged against a gateway', async () => {
  const [readme, page] = await Promise.all([read('README.md'), read('schema/README.md')]);
  const [operations, ...more] = snippetsOf(page, 'graphql');
  const [program, ...others] = snippetsOf(page, 'ts');
  // README.md repeats the start mutation and the program of schema/README.md. The two copies must stay equal.
  expect(snippetsOf(readme, 'ts')).toEqual([program]);
  for (const snippet of snippetsOf(readme, 'graphql'))
    expect(withoutComments(operations as string)).toContain(withoutComments(snippet));
  expect([...more, ...others], 'snippets that no test runs').toEqual([]);
  const gateway = await bootGateway();
  const run = (operationName: string, authorization?: string, variables: Record<string, unknown> = {}) =>
    TRANSPORTS.HTTP(gateway, { query: operations as string, operationName, variables }, authorization);
  const claims = page.match(/`POST \/dev\/token` with `(\{.*?\})`/)?.[1] as string;
  const authorization = `Bearer ${await gateway.token(JSON.parse(claims))}`;
  const started = await run('Start');
  const { session } = started.data.startSession;
  const waiting = await run('WaitingForAnAgent', authorization);
  // Node 20 has no global WebSocket; browsers do.
  const createWebClient = (options: ClientOptions) => createClient({ ...options, webSocketImpl: WebSocket });
  const frames: any[] = [];
  const names = { url: `${gateway.url.replace('http', 'ws')}/graphql`, connectionParams: { authorization } };
  const shown: string[] = [];
  const transitions = new Promise<void>((resolve, reject) => {
    const sink = {
      next: (frame: any) => frames.push(frame) === 2 && resolve(),
      error: reject,
      complete() {},
    };
    const given = {
      ...{ createClient: createWebClient, resuming, session, sink, ...names },
      ...{ id: session.id, query: operations, badge: { show: (state: string) => shown.push(state) } },
    };
    const code = `${program?.replace(/^import .*$/gm, '')}; return client;`.replace(
      '{ query,',
      '{ query, operationName: "Watch",',
    );
    const client = new Function(...Object.keys(given), code)(...Object.values(given));
    atTheEnd(async () => client.dispose());
  });
  await gateway.advance('loan-42.happy-path');
  await transitions;
  const sequences = frames.map(({ data }) => data.statusTransitions.sequence);
  const closed = await run('Close', undefined, { id: session.id, version: 2, key: randomUUID() });

  expect(started.data.startSession).toMatchObject({
    __typename: 'StartSessionSuccess',
    session: { link: expect.any(String) },
  });
  expect(waiting.errors).toEqual([]);
  expect(waiting.data.sessions.nodes).toEqual([]);
  expect(sequences).toEqual([1, 2]);
  expect(shown).toContain('live');
  expect(closed.data.closeSession).toMatchObject({
    __typename: 'CloseSessionSuccess',
    session: { version: 3, statusInfo: { subStatus: 'FAILED_BY_MERCHANT', waitingOn: 'NOBODY' } },
    closure: { outcome: 'FAILED', reason: 'CUSTOMER_WITHDREW' },
  });
});
