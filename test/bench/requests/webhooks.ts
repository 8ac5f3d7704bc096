import { signWebhook } from '../../../src/provider/signature.ts';
import { SANDBOX_CREDENTIALS } from '../../../src/sandbox/credentials.ts';
import type { BenchDatabase } from '../database/database.ts';
import { requestOf } from '../harness/http-load.ts';
import { openSessions } from './meetings.ts';

export const WEBHOOK_PATH = '/webhooks/cashfree';
export const KEPT = '"received":true';

export interface Webhook {
  readonly request: Buffer;
  /**
   * Time of the event by the provider's clock. No two events share a second, so that their order is certain.
   */
  readonly eventTime: string;
}

/**
 * Returns a function that makes webhooks for many sessions in turn, each of which changes the status of its
 * session.
 */
export async function webhookMaker(database: BenchDatabase): Promise<() => Webhook> {
  const sessions = await openSessions(database);
  const begin = Math.floor(Date.now() / 1_000);
  let made = 0;
  return () => {
    const { verificationId } = sessions[made % sessions.length] as (typeof sessions)[number];
    made += 1;
    const eventTime = new Date((begin + made) * 1_000).toISOString();
    const data = {
      verification_id: verificationId,
      status: 'PRE_VIDEO_CALL',
      sub_status: made % 2 === 0 ? 'USER_QUEUED' : 'NO_AGENT_FOUND',
    };
    const body = JSON.stringify({ event_type: 'VKYC_STATUS', event_time: eventTime, data });
    const timestamp = String(Date.now());
    const signature = signWebhook(SANDBOX_CREDENTIALS.clientSecrets[0], timestamp, Buffer.from(body));
    const headers = { 'x-webhook-timestamp': timestamp, 'x-webhook-signature': signature };
    return { eventTime, request: requestOf(WEBHOOK_PATH, body, headers) };
  };
}
