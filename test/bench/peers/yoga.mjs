/** GraphQL Yoga on node:http as a peer (server that the benchmarks compare with the gateway). */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createYoga } from 'graphql-yoga';
import { contextOf, recorded, schema } from './common/schema.mjs';
import { listensAt } from './common/setting.mjs';

const recordReads = {
  onExecute: ({ args }) => ({ onExecuteDone: () => recorded(args.contextValue) }),
};

const yoga = createYoga({
  schema,
  logging: false,
  plugins: [recordReads],
  context: ({ request }) => contextOf(request.headers.get('authorization')),
});
const server = createServer(yoga);
server.listen(0, '127.0.0.1');
await once(server, 'listening');
listensAt(server.address().port);
