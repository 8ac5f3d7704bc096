/**
 * Receives webhooks for peers (servers that the benchmarks compare with the gateway), with the same work as in the
 * gateway: verifies the signature over the raw bytes, and stores the encrypted body.
 */
import { createHash } from 'node:crypto';
import { isValidWebhookSignature } from '../../../../.build/provider/signature.js';
import { addTransition, audit, inTransaction, lockSession, nextTransition, ring } from './changes.mjs';
import { pool, sealer } from './setting.mjs';

const SECRETS = ['sandbox', 'sandbox-next'];

/** Returns the content of a webhook; throws if its signature is not valid. */
export function readSigned({ headers }, body) {
  const { 'x-webhook-timestamp': timestamp, 'x-webhook-signature': signature } = headers;
  if (!isValidWebhookSignature(SECRETS, timestamp, body, signature))
    throw new Error('The signature is not valid');
  const { event_time: eventTime, data } = JSON.parse(body.toString('utf8'));
  return { eventTime, data };
}

const INSERT = `insert into webhook_inbox (body_hash, body, verification_id, state, received_at)
  values ($1, $2, $3, $4, $5) on conflict do nothing returning id`;

function rowOf(body, { data }, state) {
  const hash = createHash('sha256').update(body).digest();
  const sealed = sealer.seal(body, `webhook_inbox:${hash.toString('hex')}`);
  return [hash, sealed, data.verification_id, state, new Date()];
}

/** Stores a webhook without applying it. Once this resolves, the webhook is durable. */
export const keep = (body, news) =>
  pool.query({ name: 'keep', text: INSERT, values: rowOf(body, news, 'DONE') });

/** Stores a webhook and applies it to its session, in one transaction. */
export async function keepAndRecord(body, news) {
  const { status, sub_status: subStatus, verification_id: verificationId } = news.data;
  const occurredAt = new Date(news.eventTime);
  const next = await inTransaction(async (run) => {
    await run('keep', INSERT, rowOf(body, news, 'DONE'));
    const now = new Date();
    const [session] = await lockSession(run, 'verification_id', verificationId);
    const words = [session.id, status, subStatus];
    await run(
      'sightings',
      'select event_time from provider_sighting where session_id = $1 and raw_status = $2 and raw_sub_status = $3',
      words,
    );
    const raw = { rawStatus: status, rawSubStatus: subStatus };
    const made = { status, subStatus, ...raw, source: 'WEBHOOK', occurredAt, recordedAt: now };
    const transition = nextTransition(session, made);
    await run(
      'moved-there',
      `update vkyc_session set status = $2, sub_status = $3, raw_status = $2, raw_sub_status = $3, provider_status = $2,
       provider_sub_status = $3, version = $4, last_sequence = $4, status_since = $5, updated_at = $5,
       provider_heard_at = $5, provider_event_time = $6, provider_webhooks = provider_webhooks + 1, next_poll_at = $7
       where id = $1`,
      [...words, transition.sequence, now, occurredAt, new Date(now.getTime() + 60_000)],
    );
    await addTransition(run, transition);
    await run(
      'add-sighting',
      `insert into provider_sighting (session_id, sequence, raw_status, raw_sub_status, event_time)
       values ($1, $4, $2, $3, $5)`,
      [...words, transition.sequence, occurredAt],
    );
    await audit(run, session.id, [['TRANSITION', transition]], now);
    return transition;
  });
  void ring(next.sessionId, next.sequence).catch(() => {});
}
