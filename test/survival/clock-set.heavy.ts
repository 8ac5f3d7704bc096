import { createClient } from 'graphql-ws';
import pg from 'pg';
import { expect } from 'vitest';
import { WebSocket } from 'ws';
import { enter } from '../chaos/book.ts';
import { atTheEnd, eventually, freshDatabase } from '../harness/gateway.ts';
import { expectFeedOfLog, expectFolds } from '../harness/log.ts';
import { accessTo, sendUntilTaken } from '../harness/news.ts';
import { startGatewayProcess } from '../harness/process.ts';
import { startScriptedProvider } from '../harness/provider.ts';
import { clockTest, shiftedClock } from '../harness/shifted-clock.ts';

const START = `mutation ($input: StartSessionInput!) {
  startSession(input: $input) { ... on StartSessionSuccess { session { id startCursor } } }
}`;
const WATCH = `subscription ($id: ID!, $after: String) {
  statusTransitions(sessionId: $id, after: $after) { sequence subStatus }
}`;
const HOUR = 3_600;
const NEWS = [
  ['AADHAAR_VERIFICATION_SUCCESS', 0],
  ['USER_IP_VERIFICATION_SUCCESSFUL', HOUR],
  ['USER_LOCATION_VERIFICATION_SUCCESS', -2 * HOUR],
  ['USER_DEVICE_CHECK_SUCCESS', 24 * HOUR],
  ['USER_QUEUED', 0],
] as const;

clockTest(
  "while the machine's clock is set hours ahead and back, the gateway stays ready and sends each transition once",
  async () => {
    const clock = await shiftedClock();
    // A clock that is set ahead makes polls due. The polls must return the status pair of the last webhook; otherwise
    // they would add transitions to the log.
    let present = { status: 'RECEIVED', sub_status: 'LINK_GENERATED' };
    const provider = await startScriptedProvider(({ method, body }) => {
      const sent = method === 'POST' ? JSON.parse(body) : { verification_id: 'clock.set', user_id: 'asha' };
      return { body: JSON.stringify({ ...sent, ...present }) };
    });
    const DATABASE_URL = await freshDatabase();
    const database = new pg.Pool({ connectionString: DATABASE_URL, max: 2 });
    atTheEnd(() => database.end());
    const gateway = await startGatewayProcess({
      ...accessTo(provider),
      DATABASE_URL,
      ...clock.environment,
    });
    const input = { verificationId: 'clock.set', user: { phone: '9988776655', userId: 'asha' } };
    const { session } = (await gateway.graphql(START, { input })).startSession;
    const client = createClient({
      url: `${gateway.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
    });
    atTheEnd(async () => client.dispose());
    const variables = { id: session.id, after: session.startCursor };
    const frames = client.iterate<any>({ query: WATCH, variables });
    const told: [number, string][] = [];
    const next = async () => {
      const { sequence, subStatus } = (await frames.next()).value.data.statusTransitions;
      told.push([sequence, subStatus]);
    };
    await next();

    const begun = Date.now();
    for (const [number, [sub_status, seconds]] of NEWS.entries()) {
      await clock.shift(seconds);
      await eventually(async () => {
        const response = await fetch(`${gateway.url}/healthz`);
        const off = Date.parse(response.headers.get('date') as string) - Date.now();
        return Math.abs(off - seconds * 1000) < 60_000;
      });
      present = { status: 'PRE_VIDEO_CALL', sub_status };
      const data = { verification_id: 'clock.set', user_id: 'asha', ...present };
      const event_time = new Date(begun + number * 1000).toISOString();
      await sendUntilTaken(JSON.stringify({ event_time, data }), async () => gateway.url);
      await next();
      expect((await fetch(`${gateway.url}/readyz`)).status, sub_status).toBe(200);
    }

    const expected = [[1, 'LINK_GENERATED'], ...NEWS.map(([subStatus], index) => [index + 2, subStatus])];
    const isExpected = JSON.stringify(told) === JSON.stringify(expected);
    const none = { lost: 0, repeated: 0, outOfOrder: 0 };
    enter('clock-set', {
      requests: 2 + 3 * NEWS.length,
      faults: NEWS.length,
      ...none,
      wrong: isExpected ? 0 : 1,
    });
    expect(told).toEqual(expected);
    await expectFolds(database);
    await expectFeedOfLog(database);
  },
);
