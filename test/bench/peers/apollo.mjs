/**
 * Apollo Server as a peer (server that the benchmarks compare with the gateway), started as its documentation shows.
 */
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { contextOf, recorded, schema } from './common/schema.mjs';
import { listensAt } from './common/setting.mjs';

const recordReads = {
  requestDidStart: async () => ({
    willSendResponse: ({ contextValue }) => recorded(contextValue),
  }),
};

const server = new ApolloServer({ schema, plugins: [recordReads] });
const { url } = await startStandaloneServer(server, {
  listen: { port: 0, host: '127.0.0.1' },
  context: ({ req }) => contextOf(req.headers.authorization),
});
listensAt(Number(new URL(url).port));
