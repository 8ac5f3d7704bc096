import type { Labels } from '../../domain/labels.ts';
import type { Statement } from '../connection/client.ts';
import { sessionLabels } from '../schema/tables.ts';
import { equalsAny, prepareCommand, prepareQuery } from '../statements/prepared.ts';
import { createRowMapper } from '../statements/row-mapper.ts';

export type LabelsRow = typeof sessionLabels.$inferSelect;

const labelFields = createRowMapper(sessionLabels, 'l');

/** Finds the labels of the given sessions. Leaves out sessions that never had labels. */
export const findLabelsOfSessions = prepareQuery(
  'labels by session',
  labelFields,
  `select ${labelFields.list} from session_label l where ${equalsAny('l.session_id', '$1', 'uuid')}`,
);

const upsertLabels = prepareCommand(
  'save labels',
  `insert into session_label (session_id, metadata, tags) values ($1, $2, $3)
   on conflict (session_id) do update set metadata = excluded.metadata, tags = excluded.tags`,
);

/** Returns the statement that stores the labels of a session whose row is locked, in place of those that it had. */
export const saveLabels = (sessionId: string, { metadata, tags }: Labels): Statement =>
  upsertLabels(sessionId, JSON.stringify(metadata), tags);
