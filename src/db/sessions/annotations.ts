import type { AnnotationKind } from '../../domain/annotations.ts';
import { annotations } from '../schema/tables.ts';
import { equalsAny, placeholdersFor, prepareBuilder, preparedQuery } from '../statements/prepared.ts';
import { rowMapper } from '../statements/row-mapper.ts';

export type AnnotationRow = typeof annotations.$inferSelect;

/** Returns the context (AAD) that the encryption of an annotation's text is bound to; see `Sealer`. */
export const annotationContext = (id: string): string => `annotation.text:${id}`;

export const insertAnnotation = prepareBuilder<AnnotationRow>('insert annotation', (build) =>
  build.insert(annotations).values(placeholdersFor(annotations)),
);

const annotationFields = rowMapper(annotations, 'a');

/** Finds annotations by id. */
export const findAnnotations = preparedQuery(
  'annotations by id',
  annotationFields,
  `select ${annotationFields.list} from annotation a where ${equalsAny('a.id', '$1', 'uuid')}`,
);

/** Finds all annotations of the given sessions, by session in the order of their transitions. */
export const findAnnotationsOfSessions = preparedQuery(
  'annotations by session',
  annotationFields,
  `select ${annotationFields.list} from annotation a where ${equalsAny('a.session_id', '$1', 'uuid')}
   order by a.session_id, a.sequence`,
);

const ASSIGNMENTS: readonly AnnotationKind[] = ['ASSIGNMENT', 'CLAIM', 'UNASSIGNMENT'];

/** Finds the assignments of some sessions and their ends, in the order of their transitions. */
export const findAssignmentsOfSessions = preparedQuery(
  'assignments by session',
  annotationFields,
  `select ${annotationFields.list} from annotation a where ${equalsAny('a.session_id', '$1', 'uuid')}
     and a.kind in (${ASSIGNMENTS.map((kind) => `'${kind}'`).join(', ')})
   order by a.session_id, a.sequence`,
);

const DECISIONS: readonly AnnotationKind[] = ['CLOSURE', 'DISPUTE_RESOLUTION'];

/**
 * Finds the closures and the decisions of disputes of some sessions, in the order of their transitions. A session has
 * few of them, whereas its notes may be many and long.
 */
export const findDecisionsOfSessions = preparedQuery(
  'decisions by session',
  annotationFields,
  `select ${annotationFields.list} from annotation a where ${equalsAny('a.session_id', '$1', 'uuid')}
     and a.kind in (${DECISIONS.map((kind) => `'${kind}'`).join(', ')})
   order by a.session_id, a.sequence`,
);
