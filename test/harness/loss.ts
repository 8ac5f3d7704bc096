/** A database that has lost acknowledged transactions, as after a restore or the promotion of a lagging standby. */
import type { Gateway } from './gateway.ts';

const OF_SESSION = [
  'transition_outbox',
  'feed',
  'provider_sighting',
  'meeting',
  'review',
  'audit_entry',
  'status_transition',
];

/**
 * Undoes what was committed of a start: all of it, or what came after its intent was stored (INTENT_STAYS: the database
 * has even forgotten that the start was sent).
 */
export async function forgetStart(
  { database }: Pick<Gateway, 'database'>,
  verificationId: string,
  extent: 'ALL' | 'INTENT_STAYS' = 'ALL',
): Promise<void> {
  const { rows } = await database.query('select id, user_id from vkyc_session where verification_id = $1', [
    verificationId,
  ]);
  const [session] = rows;
  for (const table of OF_SESSION)
    await database.query(`delete from ${table} where session_id = $1`, [session.id]);
  for (const table of ['vkyc_session', 'provider_lookup', 'webhook_inbox'])
    await database.query(`delete from ${table} where verification_id = $1`, [verificationId]);
  if (extent === 'INTENT_STAYS') {
    await database.query(`update start_intent set state = 'OPEN', sends = 0 where session_id = $1`, [
      session.id,
    ]);
    return;
  }
  await database.query('delete from start_intent where verification_id = $1', [verificationId]);
  await database.query(
    `delete from vkyc_user u where id = $1 and not exists (select from vkyc_session s where s.user_id = u.id)
       and not exists (select from start_intent i where i.user_id = u.id)`,
    [session.user_id],
  );
}
