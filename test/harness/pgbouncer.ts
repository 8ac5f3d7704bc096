/** Test helper: PgBouncer, if it is installed, as a child process on the loopback interface. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createSeededRandom } from '../../src/sandbox/seeded-random.ts';
import { atTheEnd, eventually } from './gateway.ts';
import { freePort } from './phoenix.ts';

const CANDIDATES = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer', '/usr/local/bin/pgbouncer'];
const executablePath = process.env.PGBOUNCER ?? CANDIDATES.find((path) => existsSync(path));
const version = executablePath
  ? execFileSync(executablePath, ['--version'], { encoding: 'utf8' }).match(/PgBouncer (\d+)\.(\d+)/)
  : null;

/**
 * Properties of the installed PgBouncer; null if none is installed. `keepsStatements`: since version 1.21, PgBouncer
 * keeps prepared statements in transaction mode.
 */
export const PGBOUNCER = version ? { keepsStatements: version[1] !== '1' || Number(version[2]) >= 21 } : null;

if (!PGBOUNCER)
  process.stderr.write(
    'No pgbouncer on this machine (set PGBOUNCER to one): the tests behind PgBouncer are SKIPPED.\n',
  );
else
  process.stderr.write(
    `${version?.[0]}${PGBOUNCER.keepsStatements ? '' : ': the tests that need 1.21 or later are SKIPPED'}\n`,
  );

/**
 * Starts PgBouncer in front of a database. Returns the connection string through PgBouncer, which is stopped
 * when the test ends.
 */
export async function startPgBouncer(
  databaseUrl: string,
  mode: 'transaction' | 'session',
  statements = PGBOUNCER?.keepsStatements ?? false,
): Promise<string> {
  const { host, user, database } = new pg.Client({ connectionString: databaseUrl });
  const folder = await mkdtemp(join(tmpdir(), 'vkyc-pgbouncer-'));
  await chmod(folder, 0o755);
  const port = await freePort(
    createSeededRandom('pgbouncer', String(process.pid), String(performance.now())),
  );
  const settings = [
    '[databases]',
    `${database} = host=${host} port=5432 user=${user}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = any',
    `pool_mode = ${mode}`,
    // Session pooling needs one server connection for each client; transaction pooling shares a few.
    `default_pool_size = ${mode === 'session' ? 60 : 12}`,
    'max_client_conn = 200',
    ...(PGBOUNCER?.keepsStatements ? [`max_prepared_statements = ${statements ? 200 : 0}`] : []),
    // Names another user for root, because PgBouncer refuses to run as root.
    ...(process.getuid?.() === 0 ? ['user = postgres'] : []),
  ];
  await writeFile(join(folder, 'pgbouncer.ini'), `${settings.join('\n')}\n`);
  const child = spawn(executablePath as string, ['-q', join(folder, 'pgbouncer.ini')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  atTheEnd(async () => {
    const ended = once(child, 'exit');
    if (child.exitCode === null && child.kill('SIGKILL')) await ended;
    await rm(folder, { recursive: true, force: true });
  });
  const url = `postgres://${user}@127.0.0.1:${port}/${database}`;
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`pgbouncer ended with ${child.exitCode}: ${said}`);
    const client = new pg.Client({ connectionString: url });
    return client.connect().then(
      () => client.end().then(() => true),
      () => false,
    );
  });
  return url;
}
