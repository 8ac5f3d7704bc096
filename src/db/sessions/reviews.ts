import { and, eq, isNull } from 'drizzle-orm';
import type { Queryable, Transaction } from '../connection/client.ts';
import { reviews } from '../schema/tables.ts';
import {
  createInsertPlaceholders,
  equalsAny,
  prepareFromBuilder,
  prepareQuery,
} from '../statements/prepared.ts';
import { createRowMapper } from '../statements/row-mapper.ts';

export type ReviewRow = typeof reviews.$inferSelect;

/**
 * Returns the context (AAD) that a review's encrypted remarks are bound to, so that they cannot be moved to
 * another row; see `Sealer`.
 */
export const getReviewRemarksSealingContext = (reviewId: string): string => `review.remarks:${reviewId}`;

/** Returns the context (AAD) that the encryption of a review's text for the customer is bound to; see `Sealer`. */
export const getCustomerMessageSealingContext = (reviewId: string): string =>
  `review.customer_message:${reviewId}`;

export const insertReview = prepareFromBuilder<ReviewRow>('insert review', (build) =>
  build.insert(reviews).values(createInsertPlaceholders(reviews)),
);

/** Returns the newest review of a session in one stage (agent or auditor); null if there is none. */
export async function findNewestReview(
  db: Queryable,
  sessionId: string,
  stage: ReviewRow['stage'],
): Promise<ReviewRow | null> {
  const [row] = await newestReview(db, sessionId, stage);
  return row ?? null;
}

const reviewFields = createRowMapper(reviews, 'r');
const newestReview = prepareQuery(
  'newest review',
  reviewFields,
  `select ${reviewFields.list} from review r where r.session_id = $1::uuid and r.stage = $2
   order by r.sequence desc limit 1`,
);

/** Adds remarks to a review that has no remarks yet; otherwise changes nothing. */
export const addMissingRemarks = (
  tx: Transaction,
  id: string,
  texts: Pick<ReviewRow, 'remarks' | 'remarksSalt'>,
) =>
  tx
    .update(reviews)
    .set(texts)
    .where(and(eq(reviews.id, id), isNull(reviews.remarks)));

export const findReviewsById = (db: Queryable, ids: readonly string[]): Promise<ReviewRow[]> =>
  reviewsById(db, ids);

const reviewsById = prepareQuery(
  'reviews by id',
  reviewFields,
  `select ${reviewFields.list} from review r where ${equalsAny('r.id', '$1', 'uuid')}`,
);

/**
 * Returns all reviews of the given sessions, within a session in the order of their transitions. No limit is
 * needed: a session has only a handful of reviews.
 */
export const findReviewsOfSessions = (db: Queryable, sessionIds: readonly string[]): Promise<ReviewRow[]> =>
  reviewsBySession(db, sessionIds);

const reviewsBySession = prepareQuery(
  'reviews by session',
  reviewFields,
  `select ${reviewFields.list} from review r where ${equalsAny('r.session_id', '$1', 'uuid')} order by r.session_id, r.sequence`,
);
