/** Removes committed rows, as a restore or the promotion of a lagging standby does. */
import type { Gateway } from './gateway.ts';

const OF_SESSION = [
  'transition_outbox',
  'feed',
  'provider_sighting',
  'meeting',
  'review',
  'session_label',
  'audit_entry',
  'status_transition',
];

/**
 * Deletes the rows of a start. With INTENT_STAYS the start intent (stored request) is kept, and reset to
 * before the call of the provider.
 */
export async function forgetStart(
  { database }: Pick<Gateway, 'database'>,
  verificationId: string,
  detail: 'ALL' | 'INTENT_STAYS' = 'ALL',
): Promise<void> {
  const { rows } = await database.query('select id, user_id from vkyc_session where verification_id = $1', [
    verificationId,
  ]);
  const [session] = rows;
  for (const table of OF_SESSION)
    await database.query(`delete from ${table} where session_id = $1`, [session.id]);
  for (const table of ['vkyc_session', 'provider_lookup', 'webhook_inbox'])
    await database.query(`delete from ${table} where verification_id = $1`, [verificationId]);
  if (detail === 'INTENT_STAYS') {
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

/**
 * Saves all rows of a session. Returns a function that restores these rows, and thereby undoes all later changes of the
 * session.
 */
export async function rememberSession(
  { database }: Pick<Gateway, 'database'>,
  verificationId: string,
): Promise<() => Promise<void>> {
  const { rows } = await database.query('select id from vkyc_session where verification_id = $1', [
    verificationId,
  ]);
  const tables = [
    ...OF_SESSION.map((table) => ({ table, column: 'session_id' })),
    { table: 'vkyc_session', column: 'id' },
  ];
  const [{ id }] = rows;
  const remembered = new Map<string, string>();
  for (const { table, column } of tables) {
    const found = await database.query(
      `select coalesce(json_agg(t), '[]')::text as rows from ${table} t where ${column} = $1`,
      [id],
    );
    remembered.set(table, found.rows[0].rows);
  }
  return async () => {
    const client = await database.connect();
    try {
      // Disables foreign keys and triggers.
      await client.query('begin');
      await client.query('set local session_replication_role = replica');
      for (const { table, column } of tables) {
        await client.query(`delete from ${table} where ${column} = $1`, [id]);
        await client.query(
          `insert into ${table} select * from json_populate_recordset(null::${table}, $1::json)`,
          [remembered.get(table)],
        );
      }
      await client.query('commit');
    } finally {
      client.release();
    }
  };
}
