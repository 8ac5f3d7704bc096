import { and, desc, eq, isNull } from 'drizzle-orm';
import type { Queryable, Transaction } from './client.ts';
import { fieldsOf } from './fields.ts';
import { preparedRows } from './prepared.ts';
import { reviews } from './tables.ts';

export type ReviewRow = typeof reviews.$inferSelect;

/** Where a review's remarks are bound to; see `Sealer`. */
export const placeOfRemarks = (reviewId: string): string => `review.remarks:${reviewId}`;

export const insertReview = (tx: Transaction, row: ReviewRow) => tx.insert(reviews).values(row);

/** The newest review of a stage. */
export async function findNewestReview(
  db: Queryable,
  sessionId: string,
  stage: ReviewRow['stage'],
): Promise<ReviewRow | null> {
  const [row] = await db
    .select()
    .from(reviews)
    .where(and(eq(reviews.sessionId, sessionId), eq(reviews.stage, stage)))
    .orderBy(desc(reviews.sequence))
    .limit(1);
  return row ?? null;
}

/** Adds remarks that came after their review; leaves those that are there. */
export const addRemarks = (tx: Transaction, id: string, texts: Pick<ReviewRow, 'remarks' | 'remarksSalt'>) =>
  tx
    .update(reviews)
    .set(texts)
    .where(and(eq(reviews.id, id), isNull(reviews.remarks)));

export const findReviews = (db: Queryable, ids: readonly string[]): Promise<ReviewRow[]> =>
  reviewsById(db, ids);

const reviewFields = fieldsOf(reviews, 'r');
const reviewsById = preparedRows(
  'reviews by id',
  reviewFields,
  `select ${reviewFields.list} from review r where r.id = any($1::uuid[])`,
);

/** All reviews of some sessions, in the order of their transitions; a session has a handful. */
export const reviewsOfSessions = (db: Queryable, sessionIds: readonly string[]): Promise<ReviewRow[]> =>
  reviewsBySession(db, sessionIds);

const reviewsBySession = preparedRows(
  'reviews by session',
  reviewFields,
  `select ${reviewFields.list} from review r where r.session_id = any($1::uuid[]) order by r.session_id, r.sequence`,
);
