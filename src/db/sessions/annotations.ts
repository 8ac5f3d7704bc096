import { and, eq, inArray, sql } from 'drizzle-orm';
import type { AnnotationKind } from '../../domain/annotations.ts';
import type { Queryable } from '../connection/client.ts';
import { annotations } from '../schema/tables.ts';
import {
  createInsertPlaceholders,
  equalsAny,
  prepareColumnarQuery,
  prepareFromBuilder,
  prepareQuery,
} from '../statements/prepared.ts';
import { createRowMapper } from '../statements/row-mapper.ts';

export type AnnotationRow = typeof annotations.$inferSelect;

/** Returns the context (AAD) that the encryption of an annotation's text is bound to; see `Sealer`. */
export const getAnnotationSealingContext = (id: string): string => `annotation.text:${id}`;

export const insertAnnotation = prepareFromBuilder<AnnotationRow>('insert annotation', (build) =>
  build.insert(annotations).values(createInsertPlaceholders(annotations)),
);

const annotationFields = createRowMapper(annotations, 'a');

/** Finds annotations by id. */
export const findAnnotationsById = prepareQuery(
  'annotations by id',
  annotationFields,
  `select ${annotationFields.list} from annotation a where ${equalsAny('a.id', '$1', 'uuid')}`,
);

/**
 * Prepares a query of all annotations of some kinds, by session in the order of their transitions. For kinds of which a
 * session has few; its notes may be many and long.
 */
const byKinds = (name: string, ...kinds: readonly AnnotationKind[]) =>
  prepareQuery(
    name,
    annotationFields,
    `select ${annotationFields.list} from annotation a where ${equalsAny('a.session_id', '$1', 'uuid')}
       and a.kind in (${kinds.map((kind) => `'${kind}'`).join(', ')})
     order by a.session_id, a.sequence`,
  );

/** Finds the closures and the decisions of disputes of some sessions, in the order of their transitions. */
export const findClosuresAndDisputeResolutionsOfSessions = byKinds(
  'decisions by session',
  'CLOSURE',
  'DISPUTE_RESOLUTION',
);

/** Finds the escalations of some sessions and their resolutions, in the order of their transitions. */
export const findEscalationsOfSessions = byKinds(
  'escalations by session',
  'ESCALATION',
  'ESCALATION_RESOLUTION',
);

/** Finds the assignments of some sessions and their ends, in the order of their transitions. */
export const findAssignmentsOfSessions = byKinds(
  'assignments by session',
  'ASSIGNMENT',
  'CLAIM',
  'UNASSIGNMENT',
);

/** Finds why the meetings of some sessions were booked; `code` is the id of the meeting. */
export const findMeetingReasonsOfSessions = byKinds('meeting reasons by session', 'MEETING_REASON');

/** One session's page of notes: those whose transitions come before the sequence `before`. */
export interface NotesPageRequest {
  readonly sessionId: string;
  readonly before: number;
}

/** Reads the newest `limit` notes of each page, newest first. One statement serves all pages. */
export async function readNotePages(
  db: Queryable,
  pages: readonly NotesPageRequest[],
  limit: number,
): Promise<AnnotationRow[][]> {
  const found = await notes(
    db,
    pages.map(({ sessionId }) => sessionId),
    pages.map(({ before }) => before),
    limit,
  );
  const rows: AnnotationRow[][] = pages.map(() => []);
  for (const row of found) rows[row.page - 1]?.push(row);
  return rows;
}

const noteFields = createRowMapper<typeof annotations, { page: number }>(annotations, 'a', {
  page: 'wanted.page',
});
const notes = prepareColumnarQuery(
  'notes by session',
  noteFields,
  // The lateral subquery reads the unique key of session and sequence backwards, and stops at the limit.
  `select ${noteFields.list}
   from unnest($1::uuid[], $2::int[]) with ordinality as wanted(session_id, before, page)
   cross join lateral (
     select * from annotation a
     where a.session_id = wanted.session_id and a.kind = 'NOTE' and a.sequence < wanted.before
     order by a.sequence desc
     limit $3
   ) a
   order by wanted.page, a.sequence desc`,
);

/** Counts the notes of some sessions; sessions without notes are left out. */
export async function countNotesOfSessions(
  db: Queryable,
  sessionIds: readonly string[],
): Promise<{ sessionId: string; count: number }[]> {
  return db
    .select({ sessionId: annotations.sessionId, count: sql<number>`count(*)::int` })
    .from(annotations)
    .where(and(inArray(annotations.sessionId, [...sessionIds]), eq(annotations.kind, 'NOTE')))
    .groupBy(annotations.sessionId);
}
