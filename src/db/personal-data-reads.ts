import type { Queryable } from './client.ts';
import { builtStatement, run, valuesOf } from './prepared.ts';
import { personalDataReads } from './tables.ts';

export type NewRead = Omit<typeof personalDataReads.$inferSelect, 'id'>;

/** What a reading was of, as the log of reads names it. */
export const subjectOf = (kind: 'vkyc_user' | 'vkyc_session' | 'webhook_inbox', id: string): string =>
  `${kind}:${id}`;

/** Records that somebody was shown personal data; committed once this returns. */
export async function insertRead(db: Queryable, read: NewRead): Promise<void> {
  await run(db, keepRead(read));
}

const { id: _id, ...noted } = valuesOf(personalDataReads);
const keepRead = builtStatement<NewRead>('keep read', (build) =>
  build.insert(personalDataReads).values(noted),
);
