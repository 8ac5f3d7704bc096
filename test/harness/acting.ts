/** Steps that tests of staff actions on sessions share. */
import { expect } from 'vitest';
import type { KnownSubStatus } from '../../src/domain/status.ts';
import { toStatusPair } from '../../src/domain/status.ts';
import { auditOf } from './audit.ts';
import { bootGateway, type Gateway } from './gateway.ts';
import { expectFeedOfLog, expectFolds } from './log.ts';
import { type Person, person } from './people.ts';

/** Phone number of the customer for whom `Gateway.start` starts sessions. */
export const PHONE = '9988776655';
export const NAME = 'Asha Rao';

export async function staffOf(gateway: Gateway) {
  const [olga, ravi, uma, dev, viewer] = await Promise.all([
    person(gateway, 'olga', 'OPERATOR'),
    person(gateway, 'ravi', 'AGENT'),
    person(gateway, 'uma', 'AUDITOR'),
    person(gateway, 'dev', 'AUDITOR'),
    person(gateway, 'vera', 'VIEWER'),
  ]);
  return { olga, ravi, uma, dev, viewer };
}

/** Boots two gateways over one database, which share the sandbox of the first. */
export async function twoGateways(): Promise<[Gateway, Gateway]> {
  const one = await bootGateway();
  const environment = {
    CASHFREE_BASE_URL: one.sandboxUrl,
    CASHFREE_CLIENT_ID: 'sandbox',
    CASHFREE_CLIENT_SECRET: 'sandbox',
    // Same call budget as with an own sandbox: the smaller default budget of a real provider would refuse starts.
    PROVIDER_CALLS_PER_MINUTE: '6000',
  };
  return [one, await bootGateway({ database: one.databaseUrl, environment })];
}

let seconds = 0;

/** Sends a webhook whose event time is later than that of all webhooks sent by this function before. */
export async function report(
  gateway: Gateway,
  verificationId: string,
  subStatus: KnownSubStatus,
): Promise<void> {
  seconds += 1;
  const { status } = toStatusPair(subStatus);
  const event_time = new Date(Date.now() + seconds * 1_000).toISOString();
  const data = { verification_id: verificationId, status, sub_status: subStatus };
  expect(await gateway.webhook({ event_type: 'VKYC_STATUS', event_time, data })).toBe(200);
}

/** Waits until no stored webhook is PENDING (queued). */
export async function settled({ database }: Gateway): Promise<void> {
  for (;;) {
    const { rowCount } = await database.query(`select 1 from webhook_inbox where state = 'PENDING' limit 1`);
    if (rowCount === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Starts a session, and reports the given sub-statuses by webhook, one after the other. */
export async function sessionAt(
  gateway: Gateway,
  verificationId: string,
  ...steps: KnownSubStatus[]
): Promise<{ id: string; startCursor: string }> {
  const session = await gateway.start(verificationId);
  for (const step of steps) {
    await report(gateway, verificationId, step);
    await settled(gateway);
  }
  return session as { id: string; startCursor: string };
}

/** Returns the log of a session, each transition as verdict, source, sub-status and actor. */
export async function logOf({ database }: Gateway, verificationId: string): Promise<string[]> {
  const { rows } = await database.query(
    `select verdict, source, sub_status, coalesce(actor, '-') as actor from status_transition
     where session_id = (select id from vkyc_session where verification_id = $1) order by sequence`,
    [verificationId],
  );
  return rows.map((row) => `${row.verdict} ${row.source} ${row.sub_status} ${row.actor}`);
}

/** Returns the verification ids of the sessions that a viewer sees with this filter, sorted. */
export async function listed(viewer: Person, filter: object): Promise<string[]> {
  const page = await viewer.query(
    'query ($filter: SessionFilter) { result: sessions(first: 100, filter: $filter) { nodes { verificationId } } }',
    { filter },
  );
  return page.nodes.map((node: { verificationId: string }) => node.verificationId).toSorted();
}

export const WATCH = `subscription ($sessionId: ID, $after: String) {
  statusTransitions(sessionId: $sessionId, after: $after) { sequence status subStatus source actor applied reason }
}`;

/**
 * Expects that every audit chain is valid, every session row equals the state computed from its log, and the feed has every transition
 * of the log.
 */
export async function expectSound({
  database,
  databaseUrl,
}: Pick<Gateway, 'database' | 'databaseUrl'>): Promise<void> {
  expect((await auditOf(databaseUrl).verify()).findings).toEqual([]);
  await expectFolds(database);
  await expectFeedOfLog(database);
}

/**
 * Calls `act` 20 times concurrently, half of the times for each of two people (on two gateways). Returns the results.
 */
export const twentyTimes = (one: Person, two: Person, act: (who: Person, index: number) => Promise<any>) =>
  Promise.all(Array.from({ length: 20 }, (_, index) => act(index % 2 ? one : two, index)));
