/**
 * `npm run inbox`: lists and shows webhooks in the inbox (stored webhooks with a valid signature), and queues
 * webhooks again (replay).
 */
import { userInfo } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { stringify } from 'lossless-json';
import { formatPersonalDataRowKey } from '../db/audit/personal-data-reads.ts';
import type { Database } from '../db/connection/client.ts';
import { WEBHOOK_INBOX_STATES, type WebhookInboxState } from '../db/schema/tables.ts';
import {
  findWebhookStates,
  findWebhooksById,
  getWebhookBodySealingContext,
  listWebhooks,
  requeueWebhooks,
} from '../db/webhooks/inbox.ts';
import { systemClock } from '../domain/ports.ts';
import { isLosslessJsonNumber, parseLosslessJson, UnusableJsonError } from '../provider/json.ts';
import { DataAccessLog } from '../services/audit/data-access-log.ts';
import { type CommandDatabase, openCommandDatabase } from './open-database.ts';
import { createCommandProviders } from './open-provider.ts';
import { runCommand } from './run-command.ts';

const USAGE = `npm run inbox -- list [--state ${WEBHOOK_INBOX_STATES.join('|')}] [--limit N]
npm run inbox -- show ID... [--reveal]     shows webhooks; hides values that may be personal, unless --reveal is given
npm run inbox -- replay ID...              queues webhooks again, whatever their state
npm run inbox -- replay --state PARKED     queues all webhooks in that state again`;

const HIDDEN = '(hidden)';
/**
 * Maximum number of webhooks that `replay --state` queues in one run. The next run queues the remaining ones.
 */
const REPLAY_BATCH = 10_000;
const REPLAY_TIMEOUT_MS = 15_000;

class UsageError extends Error {}

const print = (line: string) => process.stdout.write(`${line}\n`);

async function list(db: Database, state: WebhookInboxState | null, limit: number): Promise<void> {
  const rows = await listWebhooks(db, state, limit);
  for (const { id, state, receivedAt, verificationId, attempts, reason } of rows) {
    const line = [
      String(id).padStart(8),
      state.padEnd(7),
      receivedAt.toISOString(),
      String(attempts).padStart(2),
      (verificationId ?? '-').padEnd(32),
      reason ?? '',
    ];
    print(line.join('  '));
  }
  print(`${rows.length} webhooks${rows.length === limit ? '; there may be more: raise --limit' : ''}.`);
}

async function show(opened: CommandDatabase, ids: readonly bigint[], reveal: boolean): Promise<void> {
  const { db, sealer, auditKeys: keys } = opened;
  allFound(ids, await findWebhookStates(db, ids));
  if (reveal) {
    const subjects = ids.map((id) => formatPersonalDataRowKey('webhook_inbox', String(id)));
    const viewer = `${userInfo().username}, by npm run inbox`;
    await new DataAccessLog({ db, keys, clock: systemClock }).record({
      viewer,
      operations: ['inbox show'],
      fields: ['webhook_inbox.body'],
      subjects,
    });
  }
  const providers = createCommandProviders(opened);
  for (const row of await findWebhooksById(db, ids)) {
    print(`${row.id} ${row.state}${row.reason ? `: ${row.reason}` : ''}`);
    // A provider that is no longer configured names no harmless fields, so all values of its webhooks are hidden.
    const shown = reveal ? null : (providers.find(row.provider)?.webhooks.impersonalFields ?? []);
    print(readable(sealer.open(row.body, getWebhookBodySealingContext(row.bodyHash)), shown));
  }
}

/** Formats a body. Hides the values of all fields but `shown`; null shows all. */
function readable(body: Buffer, shown: readonly string[] | null): string {
  try {
    const value = parseLosslessJson(body.toString('utf8'));
    return stringify(shown ? hide(value, shown) : value, null, 2) ?? '';
  } catch (error) {
    if (!(error instanceof UnusableJsonError)) throw error;
    return shown === null
      ? body.toString('utf8')
      : `(${body.length} bytes hidden, because the body ${error.message}; --reveal shows them)`;
  }
}

function hide(value: unknown, shown: readonly string[], key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => hide(item, shown, key));
  if (value !== null && typeof value === 'object' && !isLosslessJsonNumber(value))
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, hide(inner, shown, name)]));
  return shown.includes(key) || value === '' || value === null ? value : HIDDEN;
}

async function replay(db: Database, ids: readonly bigint[]): Promise<void> {
  allFound(ids, await findWebhookStates(db, ids));
  await requeueWebhooks(db, ids);
  const deadline = Date.now() + REPLAY_TIMEOUT_MS;
  for (;;) {
    const rows = await findWebhookStates(db, ids);
    const waiting = rows.filter((row) => row.state === 'PENDING').length;
    process.stderr.write(`\r${rows.length - waiting} of ${rows.length} processed`);
    if (waiting === 0 || Date.now() > deadline) {
      process.stderr.write('\n');
      for (const row of rows) print(`${row.id} ${describeOutcome(row)}`);
      return;
    }
    await delay(200);
  }
}

function describeOutcome({ state, reason }: { state: WebhookInboxState; reason: string | null }): string {
  if (state === 'DONE') return 'DONE: applied, or it contained nothing new.';
  if (state === 'PENDING') return 'PENDING: a running gateway will process it.';
  return `${state}: ${reason}`;
}

function allFound(ids: readonly bigint[], rows: readonly { id: bigint }[]): void {
  const there = new Set(rows.map((row) => row.id));
  const missing = ids.filter((id) => !there.has(id));
  if (missing.length > 0)
    throw new UsageError(
      `No webhook has the id ${missing.join(', ')}. Run npm run inbox -- list to see the ids.`,
    );
}

function parseIds(given: readonly string[]): bigint[] {
  const wrong = given.filter((id) => !/^\d{1,18}$/.test(id));
  if (given.length === 0 || wrong.length > 0)
    throw new UsageError(`Pass the numeric ids of webhooks, as npm run inbox -- list shows them.\n${USAGE}`);
  return given.map(BigInt);
}

function parseState(given: string | undefined): WebhookInboxState | null {
  if (given === undefined) return null;
  const state = WEBHOOK_INBOX_STATES.find((each) => each === given.toUpperCase());
  if (!state)
    throw new UsageError(`--state ${given} is unknown: pass one of ${WEBHOOK_INBOX_STATES.join(', ')}.`);
  return state;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      state: { type: 'string' },
      limit: { type: 'string', default: '50' },
      reveal: { type: 'boolean', default: false },
    },
  });
  const [verb = 'list', ...given] = positionals;
  if (!['list', 'show', 'replay'].includes(verb)) throw new UsageError(USAGE);
  const state = parseState(values.state);
  const limit = Number(values.limit);
  if (!Number.isInteger(limit) || limit < 1) throw new UsageError('--limit must be a number of at least 1.');
  const ids = verb === 'list' || (verb === 'replay' && state) ? [] : parseIds(given);

  const opened = await openCommandDatabase();
  const { db, close } = opened;
  try {
    if (verb === 'list') await list(db, state, limit);
    else if (verb === 'show') await show(opened, ids, values.reveal);
    else if (!state) await replay(db, ids);
    else
      await replay(
        db,
        (await listWebhooks(db, state, REPLAY_BATCH)).map((row) => row.id),
      );
  } finally {
    await close();
  }
}

await runCommand(main);
