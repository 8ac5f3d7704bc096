/**
 * Small client projects, as frontend developers would write them. Each installs its own pinned packages and
 * the packed gateway, generates types from the packed schema, compiles in strict mode, and runs the same
 * program against a live gateway.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { cuttable } from '../client/cuttable.ts';
import { bootGateway, type Gateway } from '../harness/gateway.ts';

/**
 * Folder of each client project, and the file of test/recipes that is copied into it as `src/client.ts`
 * (null: none).
 */
const PROJECTS = [
  ['apollo', 'apollo.ts'],
  ['gql-tada-urql', 'urql.ts'],
  ['relay', null],
  ['graphql-ws', null],
  ['graphql-request', null],
] as const;
/** Numbers of scenario steps by which the session is advanced before and after the connection of the program is cut. */
const STEPS = { beforeTheCut: 5, afterTheCut: 8 };

/** Output that every client program must print; NAME is the name of its project. */
const STORY = `correct user.phone: must be 10 digits, without country code
PROVIDER_UNAVAILABLE: The provider reported an internal error. Repeat the same call later; repeating it is safe.
started NAME.happy-path
choose another: This verificationId was used before with a different input. Repeat the first input, or choose a new verificationId.
Asha Rao: RECEIVED/LINK_GENERATED, waits for the customer, transitions 1
meeting SCHEDULED
meeting CANCELLED
Asha Rao: PRE_VIDEO_CALL/USER_MEETING_CANCELLED, waits for the customer, may SCHEDULE_MEETING,REFRESH,CREATE_SDK_TOKEN,CLOSE,REPLACE,ADD_NOTE,ESCALATE,ASSIGN,LABEL
1 RECEIVED/LINK_GENERATED, waits for the customer
2 PRE_VIDEO_CALL/USER_MEETING_SCHEDULED, waits for the customer
3 PRE_VIDEO_CALL/USER_MEETING_CANCELLED, waits for the customer
4 PRE_VIDEO_CALL/AADHAAR_VERIFICATION_SUCCESS, waits for the customer
5 PRE_VIDEO_CALL/USER_IP_VERIFICATION_SUCCESSFUL, waits for the customer
6 PRE_VIDEO_CALL/USER_LOCATION_VERIFICATION_SUCCESS, waits for the customer
7 PRE_VIDEO_CALL/USER_DEVICE_CHECK_SUCCESS, waits for the customer
8 PRE_VIDEO_CALL/USER_QUEUED, waits for the agent
9 PRE_VIDEO_CALL/NO_AGENT_FOUND, waits for the customer
10 PRE_VIDEO_CALL/USER_MEETING_SCHEDULED, waits for the customer
11 PRE_VIDEO_CALL/SCHEDULED_USER_QUEUED, waits for the agent
12 PRE_VIDEO_CALL/AGENT_ASSIGNED_TO_USER, waits for the customer
13 VIDEO_CALL/USER_ACCEPTED_MEETING, waits for the agent
14 VIDEO_CALL/AGENT_ENDED_CALL, waits for the agent
15 AGENT_REVIEWED/AGENT_APPROVED, waits for the auditor
16 AUDITOR_REVIEWED/AUDITOR_APPROVED, waits for nobody`;

/**
 * Values of a simulated later release of the gateway: a proxy replaces `sent` by `later` on the way to the client. In
 * the output of the client program, `shown` must then appear instead of `story`.
 */
const LATER = [
  { sent: 'RECEIVED', later: 'ARCHIVED', story: 'RECEIVED/', shown: 'ARCHIVED/' },
  {
    sent: 'AGENT_ENDED_CALL',
    later: 'AGENT_LEFT_EARLY',
    story: 'AGENT_ENDED_CALL',
    shown: 'AGENT_LEFT_EARLY',
  },
  { sent: 'AUDITOR', later: 'ARBITER', story: 'the auditor', shown: 'ARBITER' },
  { sent: 'ConflictError', later: 'CustomerError', story: 'choose another:', shown: 'refused:' },
];

const run = promisify(execFile);
let gateway: Gateway;
let workshop: string;
let leftOut: string | null = null;
let installed: Record<string, Promise<void>> = {};

beforeAll(async () => {
  leftOut = await run('npm', ['view', 'graphql@16.15.0', 'version', '--fetch-retries=0']).then(
    () => null,
    () => 'The package registry cannot be reached.',
  );
  if (leftOut) return console.warn(`All tests of the client projects are SKIPPED: ${leftOut}`);
  workshop = await mkdtemp(join(tmpdir(), 'vkyc-clients-'));
  await packTheGateway();
  installed = Object.fromEntries(PROJECTS.map(([project, recipe]) => [project, install(project, recipe)]));
  // Prevents an unhandled rejection, since the first test of a project reports a failed installation.
  for (const installing of Object.values(installed)) installing.catch(() => {});
  gateway = await bootGateway();
  return async () => {
    await Promise.allSettled(Object.values(installed));
    await rm(workshop, { recursive: true, force: true });
  };
});

beforeEach(({ skip }) => {
  if (leftOut) skip(leftOut);
});

async function packTheGateway(): Promise<void> {
  await run('npm', ['pack', '--silent', '--pack-destination', workshop]);
  const packed = (await readdir(workshop)).find((name) => name.endsWith('.tgz')) ?? '';
  await run('tar', ['xzf', packed], { cwd: workshop });
}

/** Runs an npm command in a client project. If the command fails, the error contains its output. */
async function npm(project: string, ...command: string[]): Promise<void> {
  await run('npm', command, { cwd: join(workshop, project) }).catch(({ stdout, stderr }) => {
    throw new Error(`npm ${command.join(' ')} failed in ${project}:\n${stdout}\n${stderr}`);
  });
}

/**
 * Installs the packages of a client project, and copies the unpacked gateway into its node_modules, without the
 * gateway's dependencies, which a client does not need.
 */
async function install(project: string, recipe: string | null): Promise<void> {
  const folder = join(workshop, project);
  const ours = (path: string) =>
    !/node_modules|generated|\.build/.test(path.slice(import.meta.dirname.length));
  await cp(join(import.meta.dirname, project), folder, { recursive: true, filter: ours });
  if (recipe) await cp(join(import.meta.dirname, '../recipes', recipe), join(folder, 'src/client.ts'));
  // Overrides the npm setting engine-strict of this checkout, which `npm run` passes on to child processes in the
  // environment.
  await npm(project, 'ci', '--prefer-offline', '--ignore-scripts', '--engine-strict=false');
  await cp(join(workshop, 'package'), join(folder, 'node_modules/vkyc-gateway'), { recursive: true });
}

/**
 * Replaces values by values of a later release of the same length, so that the length prefixes of frames and
 * responses stay correct.
 */
const asLaterSent = (bytes: Buffer): Buffer =>
  LATER.reduce(
    (text, { sent, later }) =>
      Buffer.from(text.toString('latin1').replaceAll(`"${sent}"`, `"${later}"`), 'latin1'),
    bytes,
  );

/**
 * Runs the program of a client project, and cuts its connection in the middle of the session. Returns the
 * program's output.
 */
async function live(project: string, name: string, rewrite?: (bytes: Buffer) => Buffer) {
  const proxy = await cuttable(gateway.url, rewrite);
  const TOKEN = await gateway.token({ sub: 'olga', roles: ['OPERATOR'] });
  const env = { ...process.env, GATEWAY_URL: `http://${proxy.host}`, TOKEN, NAME: name };
  const program = spawn('node', ['.build/main.js'], { cwd: join(workshop, project), env, timeout: 60_000 });
  const shown: string[] = [];
  const told: string[] = [];
  createInterface(program.stderr).on('line', (line) => told.push(line));
  createInterface(program.stdout).on('line', async (line) => {
    shown.push(line);
    if (line.startsWith('3 ')) await gateway.advance(`${name}.happy-path`, STEPS.beforeTheCut);
    if (!line.startsWith('8 ')) return;
    proxy.cut();
    await gateway.advance(`${name}.happy-path`, STEPS.afterTheCut);
  });
  await once(program, 'close');
  return { exitCode: program.exitCode, shown: shown.join('\n'), told };
}

describe.each(PROJECTS)('client project %s', (project) => {
  test('`npm install` succeeds in the client project', () => installed[project]);

  test('the client project generates its types from the packed schema, and compiles in strict mode', async () => {
    await npm(project, 'run', 'generate');
    await npm(project, 'run', 'build');
  });

  test('the client program prints the expected output, although its connection is cut in the middle of the session', async () => {
    const { exitCode, shown, told } = await live(project, project);

    expect(shown, told.join('\n')).toBe(STORY.replaceAll('NAME', project));
    expect(exitCode).toBe(0);
    // The cut may come before the program is live for the first time. The program ends at the last transition, before
    // the next heartbeat could make it live again.
    expect(told.join(', ')).toMatch(/^catching up, (live, )?stale, (stale, )?catching up/);
  });

  test('the client program shows enum values and types of a later release unchanged, without an error', async () => {
    const { exitCode, shown, told } = await live(project, `${project}-later`, asLaterSent);

    const expected = LATER.reduce((text, { story, shown }) => text.replaceAll(story, shown), STORY);
    expect(shown, told.join('\n')).toBe(expected.replaceAll('NAME', `${project}-later`));
    expect(exitCode).toBe(0);
  });

  test('the client project fails to compile against a later schema with values for which words.ts has no text', async () => {
    const path = join(workshop, project, 'node_modules/vkyc-gateway/schema/schema.graphql');
    const schema = await readFile(path, 'utf8');
    const later = schema
      .replace(/(union StartSessionResult = .*)/, '$1 | NotFoundError')
      .replace(/(enum Party \{)/, '$1 ARBITER');
    expect(later.length - schema.length).toBe(' | NotFoundError ARBITER'.length);
    await writeFile(path, later);

    await npm(project, 'run', 'generate');
    const building = npm(project, 'run', 'build');

    await expect(building).rejects.toThrow(/words\.ts\(\d+,\d+\): .*"ARBITER"/);
    // Relay generates a union of the selected members and a catch-all, so that a missing text is no type error in
    // the Relay project.
    if (project !== 'relay') await expect(building).rejects.toThrow(/words\.ts\(\d+,\d+\): .*NotFoundError/s);
  });
});
