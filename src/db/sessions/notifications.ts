import { count, inArray } from 'drizzle-orm';
import type { Queryable } from '../connection/client.ts';
import { customerNotifications } from '../schema/tables.ts';
import { equalsAny, prepareColumnarQuery, prepareCommand, prepareQuery } from '../statements/prepared.ts';
import { createJsonRecordset, createRowMapper } from '../statements/row-mapper.ts';

export type NotificationRow = typeof customerNotifications.$inferSelect;

/** Returns the context (AAD) that the encryption of a notification's text is bound to; see `Sealer`. */
export const getNotificationSealingContext = (id: string): string => `customer_notification.text:${id}`;

const rows = createJsonRecordset(customerNotifications);
const insert = prepareCommand(
  'insert notifications',
  `insert into customer_notification (${rows.columns})
   select ${rows.columns} from ${rows.fromParameter('$1')} on conflict do nothing`,
);

/** Inserts notifications, except those whose cause already has one of the same kind and channel. */
export const insertNotifications = (notifications: readonly NotificationRow[]) =>
  insert(rows.serialize(notifications));

export const notificationFields = createRowMapper(customerNotifications, 'n');

/** Finds notifications by id. */
export const findNotificationsById = prepareQuery(
  'notifications by id',
  notificationFields,
  `select ${notificationFields.list} from customer_notification n where ${equalsAny('n.id', '$1', 'uuid')}`,
);

/** One session's page of notifications: those whose causes come before the sequence `before`. */
export interface NotificationsPageRequest {
  readonly sessionId: string;
  readonly before: number;
}

/** Reads the newest `limit` notifications of each page, newest first. One statement serves all pages. */
export async function readNotificationPages(
  db: Queryable,
  pages: readonly NotificationsPageRequest[],
  limit: number,
): Promise<NotificationRow[][]> {
  const found = await bySession(
    db,
    pages.map(({ sessionId }) => sessionId),
    pages.map(({ before }) => before),
    limit,
  );
  const read: NotificationRow[][] = pages.map(() => []);
  for (const row of found) read[row.page - 1]?.push(row);
  return read;
}

const pageFields = createRowMapper<typeof customerNotifications, { page: number }>(
  customerNotifications,
  'n',
  { page: 'wanted.page' },
);
const bySession = prepareColumnarQuery(
  'notifications by session',
  pageFields,
  // The lateral subquery reads the unique key of the cause backwards, and stops at the limit.
  `select ${pageFields.list}
   from unnest($1::uuid[], $2::int[]) with ordinality as wanted(session_id, before, page)
   cross join lateral (
     select * from customer_notification n
     where n.session_id = wanted.session_id and n.sequence < wanted.before
     order by n.sequence desc
     limit $3
   ) n
   order by wanted.page, n.sequence desc`,
);

/** Counts the notifications of some sessions; sessions without notifications are left out. */
export const countNotificationsOfSessions = (
  db: Queryable,
  sessionIds: readonly string[],
): Promise<{ sessionId: string; count: number }[]> =>
  db
    .select({ sessionId: customerNotifications.sessionId, count: count() })
    .from(customerNotifications)
    .where(inArray(customerNotifications.sessionId, [...sessionIds]))
    .groupBy(customerNotifications.sessionId);
