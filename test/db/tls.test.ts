import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { chmodSync, chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { createDatabasePools } from '../../src/db/connection/client.ts';
import { classifyDatabaseFault } from '../../src/db/connection/connection-errors.ts';
import { atTheEnd, bootGateway, eventually, untilReady } from '../harness/gateway.ts';
import { startOwnPostgres } from '../harness/own-postgres.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';

const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    process.stderr.write('openssl is not installed: the TLS tests are SKIPPED.\n');
    return false;
  }
})();

/** Creates a private CA, its certificate for the name `localhost` only, and an unrelated CA. */
function certificates() {
  const folder = mkdtempSync(join(tmpdir(), 'vkyc-tls-'));
  chmodSync(folder, 0o755);
  atTheEnd(async () => rmSync(folder, { recursive: true, force: true }));
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  const selfSigned = (name: string) =>
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.pem`,
    );
  selfSigned('ca');
  selfSigned('stranger');
  openssl(
    'req',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    '/CN=localhost',
    '-keyout',
    'server.key',
    '-out',
    'server.csr',
  );
  writeFileSync(at('san'), 'subjectAltName=DNS:localhost');
  openssl(
    'x509',
    '-req',
    '-in',
    'server.csr',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    'san',
    '-out',
    'server.pem',
  );
  return { ca: at('ca.pem'), stranger: at('stranger.pem'), cert: at('server.pem'), key: at('server.key') };
}

/** Starts a PostgreSQL with the certificate for `localhost` that accepts TCP connections, and a proxy to it. */
async function secureServer() {
  const files = certificates();
  // A random loopback address, since another server may use port 5432 on 127.0.0.1.
  const address = `127.${randomInt(1, 255)}.${randomInt(1, 255)}.${randomInt(1, 255)}`;
  const postgres = await startOwnPostgres(undefined, { listen_addresses: address });
  const admin = new pg.Client({ connectionString: postgres.url });
  await admin.connect();
  const { rows } = await admin.query('show data_directory');
  // PostgreSQL accepts a key file only if its own user owns it.
  const { uid, gid } = statSync(rows[0].data_directory);
  for (const file of [files.key, files.cert]) chownSync(file, uid, gid);
  chmodSync(files.key, 0o600);
  const settings = { ssl_cert_file: files.cert, ssl_key_file: files.key, ssl: 'on' };
  for (const [name, value] of Object.entries(settings))
    await admin.query(`alter system set ${name} = '${value}'`);
  await admin.query('select pg_reload_conf()');
  await eventually(async () => (await admin.query('show ssl')).rows[0].ssl === 'on');
  await admin.end();
  return { files, wire: await startTcpProxy(`postgres://postgres@${address}:5432/postgres`) };
}

test.skipIf(!hasOpenssl)(
  'each sslmode verifies the server certificate as libpq does, with a private CA',
  async () => {
    const { files, wire } = await secureServer();
    /** Returns whether the connection is encrypted, or the class of the error if there is no connection. */
    const outcome = async (parameters: string, host = 'localhost') => {
      const url = `${wire.url.replace('127.0.0.1', host).split('?')[0]}?${parameters}`;
      const { pool, close } = createDatabasePools(url, 2, () => {});
      try {
        const { rows } = await pool.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()');
        return rows[0].ssl ? 'TLS' : 'plain';
      } catch (error) {
        return classifyDatabaseFault(error);
      } finally {
        await close();
      }
    };

    expect({
      disable: await outcome('sslmode=disable'),
      allow: await outcome('sslmode=allow'),
      prefer: await outcome('sslmode=prefer'),
      'without a word': await outcome(''),
      require: await outcome('sslmode=require'),
      'require, with the CA': await outcome(`sslmode=require&sslrootcert=${files.ca}`),
      "require, with a stranger's CA": await outcome(`sslmode=require&sslrootcert=${files.stranger}`),
      'verify-ca': await outcome(`sslmode=verify-ca&sslrootcert=${files.ca}`, '127.0.0.1'),
      "verify-ca, with a stranger's CA": await outcome(`sslmode=verify-ca&sslrootcert=${files.stranger}`),
      'verify-full': await outcome(`sslmode=verify-full&sslrootcert=${files.ca}`),
      'verify-full, by another name': await outcome(
        `sslmode=verify-full&sslrootcert=${files.ca}`,
        '127.0.0.1',
      ),
      'verify-full, with public CAs': await outcome('sslmode=verify-full&sslrootcert=system'),
    }).toEqual({
      disable: 'plain',
      allow: 'plain',
      prefer: 'TLS',
      'without a word': 'TLS',
      require: 'TLS',
      'require, with the CA': 'TLS',
      "require, with a stranger's CA": 'REFUSED',
      'verify-ca': 'TLS',
      "verify-ca, with a stranger's CA": 'REFUSED',
      'verify-full': 'TLS',
      'verify-full, by another name': 'REFUSED',
      'verify-full, with public CAs': 'REFUSED',
    });

    const verified = `${wire.url.replace('127.0.0.1', 'localhost').split('?')[0]}?sslmode=verify-full&sslrootcert=${files.ca}`;
    const gateway = await bootGateway({ database: verified });
    await untilReady(gateway);
    await expect(bootGateway({ database: `${verified.replace('localhost', '127.0.0.1')}` })).rejects.toThrow(
      'sslrootcert',
    );
  },
  40_000,
);
