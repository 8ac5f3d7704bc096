/**
 * `npm run webhooks`: lists and shows deliveries of merchant webhooks, queues them again (replay), and sends a test
 * event (ping).
 */
import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { type DeliveryRow, findDeliveriesById, listDeliveries } from '../db/outgoing/deliveries.ts';
import { deleteEndpoint, readEndpointHealth } from '../db/outgoing/endpoints.ts';
import { MERCHANT_DELIVERY_STATES, type MerchantDeliveryState } from '../db/schema/tables.ts';
import type { MerchantEndpoint } from '../domain/merchant-events.ts';
import { systemClock } from '../domain/ports.ts';
import { DataAccessLog } from '../services/audit/data-access-log.ts';
import { buildMerchantEvent, buildPingEvent } from '../services/outgoing/event-body.ts';
import { type ReplayRequest, replayWebhookDeliveries } from '../services/outgoing/replay-deliveries.ts';
import { EventSender } from '../services/outgoing/send-event.ts';
import { type CommandDatabase, openCommandDatabase } from './open-database.ts';
import { runCommand } from './run-command.ts';

const USAGE = `npm run webhooks -- list [--endpoint NAME] [--state ${MERCHANT_DELIVERY_STATES.join('|')}] [--limit N]
npm run webhooks -- show ID...                          shows deliveries, with the body that is sent
npm run webhooks -- replay ID...                        queues deliveries again, whatever their state
npm run webhooks -- replay --state PARKED [--endpoint NAME]
npm run webhooks -- replay --endpoint NAME --since TIME queues everything since a time again, such as 2026-11-30T09:00Z
npm run webhooks -- ping NAME                           sends a signed test event, and says what the endpoint answered
npm run webhooks -- forget NAME                         deletes an endpoint that is no longer in WEBHOOK_ENDPOINTS`;

class UsageError extends Error {}

const print = (line: string) => process.stdout.write(`${line}\n`);

interface Filter {
  readonly endpoint: string | null;
  readonly state: MerchantDeliveryState | null;
}

async function list({ db, pool }: CommandDatabase, filter: Filter, limit: number): Promise<void> {
  for (const each of await readEndpointHealth(pool, systemClock.now())) {
    if (filter.endpoint !== null && each.name !== filter.endpoint) continue;
    const failing = each.failingSince ? `failing since ${each.failingSince.toISOString()}` : 'working';
    print(
      `${each.name}: ${failing}${each.paused ? ', paused' : ''}; ${each.pending} pending, ${each.parked} parked`,
    );
  }
  const rows = await listDeliveries(db, filter, limit);
  for (const row of rows) print(formatDelivery(row));
  print(`${rows.length} deliveries${rows.length === limit ? '; there may be more: raise --limit' : ''}.`);
}

const formatDelivery = (row: DeliveryRow & { readonly verificationId: string }): string =>
  [
    String(row.id).padStart(8),
    row.state.padEnd(7),
    row.queuedAt.toISOString(),
    String(row.attempts).padStart(2),
    row.endpoint.padEnd(16),
    row.type.padEnd(24),
    `${row.verificationId} ${row.sequence}`.padEnd(32),
    row.outcome ?? '',
  ]
    .join('  ')
    .trimEnd();

async function show({ db }: CommandDatabase, ids: readonly bigint[]): Promise<void> {
  for (const row of await findAll({ db }, ids)) {
    const event = buildMerchantEvent(row);
    print(formatDelivery(row));
    print(`webhook-id: ${event.id}`);
    print(JSON.stringify(JSON.parse(event.body), null, 2));
  }
}

async function replay({ db, auditKeys: keys }: CommandDatabase, request: ReplayRequest): Promise<void> {
  const accessLog = new DataAccessLog({ db, keys, clock: systemClock });
  const caller = { name: `${userInfo().username}, by npm run webhooks`, operation: 'webhooks replay' };
  const queued = await replayWebhookDeliveries({ db, clock: systemClock, accessLog }, caller, request);
  const what = request.by === 'SINCE' ? 'events' : 'deliveries';
  print(`${queued} ${what} are queued again: a running gateway will send them, with the same ids as before.`);
}

async function ping({ config }: CommandDatabase, endpoint: MerchantEndpoint): Promise<void> {
  const sender = new EventSender({ allowedHosts: config.merchantWebhooks?.allowedHosts ?? [] });
  try {
    const now = systemClock.now();
    const { accepted, outcome } = await sender.send(endpoint, buildPingEvent(now), now);
    print(`${endpoint.name} ${accepted ? 'accepted' : 'did not accept'} the test event: ${outcome}.`);
    if (!accepted) process.exitCode = 1;
  } finally {
    sender.stop();
  }
}

async function forget({ db, config }: CommandDatabase, name: string): Promise<void> {
  if (config.merchantWebhooks?.endpoints.some((endpoint) => endpoint.name === name))
    throw new UsageError(
      `${name} is in WEBHOOK_ENDPOINTS. Take it out, restart all gateways, and run this again.`,
    );
  if (!(await deleteEndpoint(db, name))) throw new UsageError(`No endpoint ${name} is stored.`);
  print(`${name} and its deliveries are deleted.`);
}

async function findAll({ db }: Pick<CommandDatabase, 'db'>, ids: readonly bigint[]) {
  const rows = await findDeliveriesById(db, ids);
  const missing = ids.filter((id) => !rows.some((row) => row.id === id));
  if (missing.length > 0)
    throw new UsageError(
      `No delivery has the id ${missing.join(', ')}. Run npm run webhooks -- list to see the ids.`,
    );
  return rows;
}

function parseIds(given: readonly string[]): bigint[] {
  const wrong = given.filter((id) => !/^\d{1,18}$/.test(id));
  if (given.length === 0 || wrong.length > 0)
    throw new UsageError(
      `Pass the numeric ids of deliveries, as npm run webhooks -- list shows them.\n${USAGE}`,
    );
  return given.map(BigInt);
}

function parseState(given: string | undefined): MerchantDeliveryState | null {
  if (given === undefined) return null;
  const state = MERCHANT_DELIVERY_STATES.find((each) => each === given.toUpperCase());
  if (!state)
    throw new UsageError(`--state ${given} is unknown: pass one of ${MERCHANT_DELIVERY_STATES.join(', ')}.`);
  return state;
}

function parseTime(given: string): Date {
  const time = new Date(given);
  if (Number.isNaN(time.getTime()))
    throw new UsageError(`--since ${given} is not a time, such as 2026-11-30T09:00Z.`);
  return time;
}

function findConfigured({ config }: CommandDatabase, name: string | undefined): MerchantEndpoint {
  const endpoints = config.merchantWebhooks?.endpoints ?? [];
  const found = endpoints.find((endpoint) => endpoint.name === name);
  if (!found)
    throw new UsageError(
      `Pass the name of an endpoint of WEBHOOK_ENDPOINTS: ${endpoints.map((each) => each.name).join(', ') || 'there is none'}.`,
    );
  return found;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      endpoint: { type: 'string' },
      state: { type: 'string' },
      since: { type: 'string' },
      limit: { type: 'string', default: '50' },
    },
  });
  const [verb = 'list', ...given] = positionals;
  if (!['list', 'show', 'replay', 'ping', 'forget'].includes(verb)) throw new UsageError(USAGE);
  const filter: Filter = { endpoint: values.endpoint ?? null, state: parseState(values.state) };
  const limit = Number(values.limit);
  if (!Number.isInteger(limit) || limit < 1) throw new UsageError('--limit must be a number of at least 1.');
  const since = values.since === undefined ? null : parseTime(values.since);
  const needsIds = verb === 'show' || (verb === 'replay' && !filter.state && !since);
  const ids = needsIds ? parseIds(given) : [];

  const opened = await openCommandDatabase();
  try {
    if (verb === 'list') await list(opened, filter, limit);
    else if (verb === 'show') await show(opened, ids);
    else if (verb === 'ping') await ping(opened, findConfigured(opened, given[0]));
    else if (verb === 'forget') await forget(opened, given[0] ?? '');
    else if (since) {
      const endpoint = findConfigured(opened, values.endpoint);
      await replay(opened, { by: 'SINCE', endpoint, since, maxTransitions: null });
    } else if (filter.state) await replay(opened, { by: 'STATE', ...filter, state: filter.state });
    else await replay(opened, { by: 'IDS', ids });
  } finally {
    await opened.close();
  }
}

await runCommand(main);
