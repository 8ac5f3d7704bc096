/** Commands of the published package, which run from its files without a build step. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { endWithParent } from './end-with-parent.mjs';
import requirements from './requirements.cjs';

const HELP = `Usage: vkyc-gateway COMMAND

  dev      runs the gateway with an embedded PostgreSQL and a sandbox provider, for development
             --port 4000           port of the gateway (or PORT)
             --sandbox-port 4010   port of the sandbox (or SANDBOX_PORT)
             --speed 1             how many times faster than real time the sandbox's customers act
             --data FOLDER         folder of the database and its keys (default: .vkyc-gateway)
  start    runs the gateway with the settings of the environment, as in production
  schema   prints the GraphQL schema
             --introspection       prints it as the JSON of an introspection query
             --out FILE            writes it to a file
  token    prints a token of a running \`vkyc-gateway dev\`
             --sub asha            who the token names (default: developer)
             --role AGENT          a role of the token; may be repeated (default: ADMIN, or CUSTOMER
                                   with --verification-id)
             --verification-id ID  a verification that a customer's token is for; may be repeated
             --expires-in 3600     lifetime in seconds (default: 12 hours)
             --url URL             address of the gateway (default: http://127.0.0.1:4000)
`;

/** Data folder of `vkyc-gateway dev`, in the folder in which the command runs. */
const DATA_FOLDER = '.vkyc-gateway';

/**
 * Settings that `dev` ignores: those of production, which the shell of another project may have set. With them, the
 * gateway would migrate that project's database.
 */
const IGNORED_IN_DEVELOPMENT = [
  ...requirements.PRODUCTION_SETTINGS.join(' ')
    .match(/[A-Z][A-Z_]+/g)
    .filter((name) => name.includes('_')),
  'MIGRATE_DATABASE_URL',
  'LISTEN_DATABASE_URL',
  'NODE_ENV',
  'HOST',
];

/** Error whose message tells the user what to do, and is printed without a stack. */
class CommandError extends Error {
  name = 'CommandError';
}

const COMMANDS = { dev, start, schema, token };

/**
 * Runs a command of the package in the folder `root`.
 * @throws CommandError if the arguments are wrong, or the command cannot do its work
 */
export async function runPackageCommand(root, [name, ...args]) {
  // A reader such as `head` closes the pipe before everything is written.
  process.stdout.on('error', (error) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  if (name === undefined || name === 'help' || args.includes('--help') || name === '--help') {
    process.stdout.write(HELP);
    return;
  }
  if (name === '--version') {
    process.stdout.write(`${JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version}\n`);
    return;
  }
  if (!Object.hasOwn(COMMANDS, name)) throw new CommandError(`There is no command ${name}.\n\n${HELP}`);
  await COMMANDS[name](root, args);
}

async function dev(root, args) {
  const given = readOptions(args, ['port', 'sandbox-port', 'speed', 'data']);
  const ignored = IGNORED_IN_DEVELOPMENT.filter((name) => process.env[name]);
  for (const name of IGNORED_IN_DEVELOPMENT) delete process.env[name];
  if (ignored.length > 0)
    process.stderr.write(
      `Ignored in development: ${ignored.join(', ')}. \`vkyc-gateway start\` uses them.\n`,
    );
  set('PORT', given.port);
  set('SANDBOX_PORT', given['sandbox-port']);
  set('SANDBOX_SPEED', given.speed);
  set('DATA_DIR', given.data);
  process.env.DATA_DIR ||= DATA_FOLDER;
  process.env.LOG_FORMAT ||= 'text';
  // Ends open subscriptions at once, so that Ctrl-C takes no seconds.
  process.env.SHUTDOWN_SECONDS ||= '0';
  keepOutOfGit(resolve(process.env.DATA_DIR));
  await start(root);
}

async function start(root) {
  endWithParent();
  // Must be set before the bundle is loaded, because Node reads the source map together with the module.
  process.setSourceMapsEnabled(true);
  await import(pathToFileURL(join(root, '.build/gateway/main.js')).href);
}

async function schema(root, args) {
  const { out, introspection } = readOptions(args, ['out'], { introspection: { type: 'boolean' } });
  const file = introspection ? 'introspection.json' : 'schema.graphql';
  const text = readFileSync(join(root, 'schema', file), 'utf8');
  if (out === undefined) process.stdout.write(text);
  else writeFileSync(out, text);
}

async function token(_root, args) {
  const many = { type: 'string', multiple: true };
  const given = readOptions(args, ['sub', 'expires-in', 'url'], { role: many, 'verification-id': many });
  const { url = process.env.GATEWAY_URL || `http://127.0.0.1:${process.env.PORT || 4000}` } = given;
  const body = {
    sub: given.sub ?? 'developer',
    roles: given.role ?? (given['verification-id'] ? ['CUSTOMER'] : ['ADMIN']),
    verification_ids: given['verification-id'] ?? [],
    ...(given['expires-in'] === undefined ? {} : { expiresIn: Number(given['expires-in']) }),
  };
  const response = await fetch(new URL('/dev/token', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }).catch(() => {
    throw new CommandError(
      `No gateway answers at ${url}: start one with \`npx vkyc-gateway dev\`, or name it with --url.`,
    );
  });
  const answer = await response.json().catch(() => ({}));
  if (response.status === 404)
    throw new CommandError(`The gateway at ${url} issues no tokens: only \`vkyc-gateway dev\` does.`);
  if (!answer.token)
    throw new CommandError(answer.errors?.[0]?.message ?? `The gateway answered ${response.status}.`);
  process.stdout.write(`${answer.token}\n`);
}

/** Reads the options of a command: `texts` are options with a text, `others` have a form of their own. */
function readOptions(args, texts, others = {}) {
  const options = { ...Object.fromEntries(texts.map((name) => [name, { type: 'string' }])), ...others };
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new CommandError(`${error.message}\n\n${HELP}`);
  }
}

function set(name, value) {
  if (value !== undefined) process.env[name] = value;
}

/** Makes Git ignore the data folder, because it contains the keys of the database. */
function keepOutOfGit(folder) {
  const file = join(folder, '.gitignore');
  mkdirSync(folder, { recursive: true });
  if (!existsSync(file)) writeFileSync(file, '*\n');
}
