import { getTableColumns } from 'drizzle-orm';
import { sessions, startIntents } from '../schema/tables.ts';

type IntentRow = typeof startIntents.$inferSelect;
type SessionRow = typeof sessions.$inferSelect;

/** Columns of the same name that a session does not get from its start intent, or gets by another way. */
const NOT_FROM_THE_START = ['provider', 'verificationId', 'userId', 'createdAt'] as const;

type OriginColumn = Exclude<keyof IntentRow & keyof SessionRow, (typeof NOT_FROM_THE_START)[number]>;

/** Part of a session that only its start request says, because the provider does not return it. */
export type StartColumns = Pick<SessionRow, OriginColumn>;

/**
 * Columns that a session gets from its start intent (stored request) and that never change: all others that both
 * tables have. A column that is added to both tables is one of them.
 */
export const START_COLUMNS = Object.keys(getTableColumns(startIntents)).filter(
  (column) => column in getTableColumns(sessions) && !NOT_FROM_THE_START.some((other) => other === column),
) as readonly OriginColumn[];

/** Returns the columns of a session that come from its start intent. */
export const pickStartColumns = (row: StartColumns): StartColumns =>
  Object.fromEntries(START_COLUMNS.map((column) => [column, row[column]])) as unknown as StartColumns;
