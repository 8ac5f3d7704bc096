/**
 * PostGraphile 4 as a peer (server that the benchmarks compare with the gateway), with the schema that PostGraphile
 * derives from the tables. The same code as in the other peers verifies tokens.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import pg from 'pg';
import { postgraphile } from 'postgraphile';
import { answerOrders } from '../../../../.build/bench/test/bench/harness/orders.js';
import { claimsOf } from '../common/token.mjs';

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
const handle = postgraphile(pool, 'public', {
  disableDefaultMutations: true,
  disableQueryLog: true,
  graphiql: false,
});

const server = createServer(async (request, response) => {
  const verified = await claimsOf(request.headers.authorization).catch(() => null);
  if (verified) handle(request, response);
  else response.writeHead(401).end();
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
answerOrders({ port: () => server.address().port });
