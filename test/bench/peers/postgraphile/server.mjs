/** PostGraphile 4, with the schema that it makes of the tables, behind the same check of the token. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { jwtVerify } from 'jose';
import pg from 'pg';
import { postgraphile } from 'postgraphile';
import { answerOrders } from '../../../../.build/bench/test/bench/harness/orders.js';

const OPTIONS = { algorithms: ['HS256'], clockTolerance: 30, requiredClaims: ['exp'] };
const key = await crypto.subtle.importKey(
  'raw',
  Buffer.from(process.env.AUTH_SECRET),
  { name: 'HMAC', hash: 'SHA-256' },
  false,
  ['verify'],
);

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
const handle = postgraphile(pool, 'public', {
  disableDefaultMutations: true,
  disableQueryLog: true,
  graphiql: false,
});

const server = createServer(async (request, response) => {
  const [, token] = request.headers.authorization?.match(/^Bearer +(\S+)$/i) ?? [];
  const verified = await jwtVerify(token ?? '', key, OPTIONS).catch(() => null);
  if (verified) handle(request, response);
  else response.writeHead(401).end();
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
answerOrders({ port: () => server.address().port });
