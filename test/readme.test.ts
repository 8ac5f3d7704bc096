import { readFile } from 'node:fs/promises';
import { type ClientOptions, createClient } from 'graphql-ws';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { resuming } from '../src/client/resuming.ts';
import { withAccessTable } from '../src/domain/access-table.ts';
import { FAULTS } from '../src/sandbox/faults.ts';
import { SCENARIOS } from '../src/sandbox/scenarios.ts';
import { atTheEnd, bootGateway } from './harness/gateway.ts';
import { TRANSPORTS } from './harness/transports.ts';

const read = (path: string) => readFile(new URL(`../${path}`, import.meta.url), 'utf8');

test('the README names every scenario, every fault and every setting', async () => {
  const readme = await read('README.md');
  const settings = [...(await read('src/config.ts')).matchAll(/^ {2}([A-Z][A-Z_]+): /gm)].map(
    ([, name]) => name as string,
  );
  expect(settings).toContain('PROVIDER_CALLS_PER_MINUTE');

  const unnamed = [...Object.keys(SCENARIOS), ...Object.keys(FAULTS), ...settings].filter(
    (name) => !readme.includes(`\`${name}\``),
  );
  // What the hosting platform sets says itself what it is.
  expect(unnamed.filter((name) => name !== 'NODE_ENV')).toEqual([]);
});

test('the README tells who may do and see what; where it is stale, `npm run roles` prints it anew', async () => {
  const readme = await read('README.md');

  expect(readme).toBe(withAccessTable(readme));
});

const snippetsOf = (readme: string, language: string): string[] =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, code]) => code as string,
  );

test('what the README has frontend developers write works as it stands', async () => {
  const readme = await read('README.md');
  const [operations, ...more] = snippetsOf(readme, 'graphql');
  const [program, ...others] = snippetsOf(readme, 'ts');
  expect([...more, ...others], 'a snippet that nothing runs').toEqual([]);
  const gateway = await bootGateway();
  const run = (operationName: string, authorization?: string) =>
    TRANSPORTS.HTTP(gateway, { query: operations as string, operationName }, authorization);
  const claims = readme.match(/`POST \/dev\/token` with `(\{.*?\})`/)?.[1] as string;
  const authorization = `Bearer ${await gateway.token(JSON.parse(claims))}`;
  const started = await run('Start');
  const { session } = started.data.startSession;
  const waiting = await run('WaitingForAnAgent', authorization);
  // Browsers have a WebSocket of their own; Node 20 has not.
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

  expect(started.data.startSession).toMatchObject({
    __typename: 'StartSessionSuccess',
    session: { link: expect.any(String) },
  });
  expect(waiting.errors).toEqual([]);
  expect(waiting.data.sessions.nodes).toEqual([]);
  expect(frames.map(({ data }) => data.statusTransitions.sequence)).toEqual([1, 2]);
  expect(shown).toContain('live');
});
