/**
 * Mercurius on Fastify as a peer (server that the benchmarks compare with the gateway), with queries compiled by
 * graphql-jit.
 */
import Fastify from 'fastify';
import mercurius from 'mercurius';
import { contextOf, recorded, schema } from './common/schema.mjs';
import { listensAt } from './common/setting.mjs';

const app = Fastify();
await app.register(mercurius, {
  schema,
  jit: 1,
  context: (request) => contextOf(request.headers.authorization),
});
app.graphql.addHook('onResolution', (_execution, context) => recorded(context));
await app.listen({ port: 0, host: '127.0.0.1' });
listensAt(app.server.address().port);
