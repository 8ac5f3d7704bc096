import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { parseDatabaseUrl } from '../../src/db/connection/database-url.ts';
import { atTheEnd } from '../harness/gateway.ts';

const waysOf = (url: string) =>
  parseDatabaseUrl(url).attempts.map(({ host, port, ssl }) => `${host}:${port} ${ssl ? 'TLS' : 'plain'}`);

test('parseDatabaseUrl lists several hosts of a URL in their order, each with its port', () => {
  const mode = 'sslmode=disable';

  expect(waysOf(`postgres://u@h1:5432,h2:5433/db?target_session_attrs=read-write&${mode}`)).toEqual([
    'h1:5432 plain',
    'h2:5433 plain',
  ]);
  expect(waysOf(`postgresql://h1,h2/db?port=5440&${mode}`)).toEqual(['h1:5440 plain', 'h2:5440 plain']);
  expect(waysOf(`postgres:///db?host=h1,h2&port=1,2&${mode}`)).toEqual(['h1:1 plain', 'h2:2 plain']);
  expect(waysOf(`postgres://[::1]:5433/db?${mode}`)).toEqual(['::1:5433 plain']);
  expect(waysOf('postgres://u@%2Frun%2Fpostgresql/db')).toEqual(['/run/postgresql:undefined plain']);
});

test('sslmode of a database URL determines whether connection attempts use TLS, as in libpq', () => {
  const ways = (mode: string) => waysOf(`postgres://h:1/db${mode}`).map((way) => way.split(' ')[1]);

  expect(ways('')).toEqual(['TLS', 'plain']);
  expect(ways('?sslmode=disable')).toEqual(['plain']);
  expect(ways('?sslmode=allow')).toEqual(['plain', 'TLS']);
  expect(ways('?sslmode=prefer')).toEqual(['TLS', 'plain']);
  expect(ways('?sslmode=require')).toEqual(['TLS']);
  expect(ways('?sslmode=verify-full&sslrootcert=system')).toEqual(['TLS']);
});

test('parseDatabaseUrl decodes user, password and database; with several hosts it requires a writable one by default', () => {
  expect(parseDatabaseUrl('postgres://a%40b:p%2Fw:x%@h1,h2/d%20b')).toMatchObject({
    user: 'a@b',
    password: 'p%2Fw:x%',
    database: 'd b',
    wanted: 'READ_WRITE',
  });
  expect(parseDatabaseUrl('postgres://h/db').wanted).toBe('ANY');
  expect(parseDatabaseUrl('postgres://h1,h2/db?target_session_attrs=any').wanted).toBe('ANY');
  expect(parseDatabaseUrl('postgres://h/db?target_session_attrs=primary').wanted).toBe('PRIMARY');
});

/** Unsupported URLs, and a part of the advice that the error gives. */
const REFUSED: Readonly<Record<string, string>> = {
  'not a url': 'postgres://user:password@host:5432/database',
  'host=h1 dbname=db password=s3cret': 'postgres://user:password@host:5432/database',
  'mysql://u:s3cret@h/db': 'postgres://user:password@host:5432/database',
  'postgres://u:s3cret@h1:x,h2/db': 'host:5432',
  'postgres://u:s3cret@h:99999/db': 'from 1 to 65535',
  'postgres://u:s3cret@h1,h2,h3/db?port=1,2': 'one for each host',
  'postgres://u:s3cret@h/db?target_session_attrs=standby': 'read-write, primary or any',
  'postgres://u:s3cret@h/db?target_session_attrs=prefer-standby': 'read-write, primary or any',
  'postgres://u:s3cret@h/db?load_balance_hosts=random': 'remove it',
  'postgres://u:s3cret@h/db?channel_binding=require': 'sslmode=verify-full',
  'postgres://u:s3cret@h/db?hostaddr=10.0.0.1': 'remove it',
  'postgres://u:s3cret@h/db?service=live': 'remove it',
  'postgres://u:s3cret@h/db?sslmode=sometimes': 'it must be one of',
  'postgres://u:s3cret@h/db?sslmode=verify-full': 'sslrootcert',
  'postgres://u:s3cret@h/db?sslmode=verify-ca&sslrootcert=system': 'sslmode=verify-full',
  'postgres://u:s3cret@h/db?sslmode=verify-ca&sslrootcert=/no/such/file': 'ENOENT',
  'postgres://u:s3cret@h/db?sslcert=/no/such/file': 'sslkey',
  'postgres://u:s3cret@h/db?connect_timeout=soon': 'seconds',
};

test('an unsupported database URL is refused with advice and without showing the password', () => {
  for (const name of ['DATABASE_URL', 'MIGRATE_DATABASE_URL', 'LISTEN_DATABASE_URL'])
    for (const [url, advice] of Object.entries(REFUSED)) {
      const complaint = () => readConfig({ DATABASE_URL: 'postgres://h/db', [name]: url });
      expect(complaint, url).toThrow(`${name}: `);
      expect(complaint, url).toThrow(advice);
      expect(complaint, url).not.toThrow('s3cret');
    }
});

test('parseDatabaseUrl reads the certificate file that sslrootcert names', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vkyc-url-'));
  atTheEnd(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'ca.pem');
  await writeFile(file, 'the CA');

  const { attempts } = parseDatabaseUrl(`postgres://h/db?sslmode=verify-ca&sslrootcert=${file}`);

  expect(attempts).toMatchObject([{ ssl: { rejectUnauthorized: true, ca: Buffer.from('the CA') } }]);
});
