import { transitions } from '../schema/tables.ts';
import { prepareQuery } from '../statements/prepared.ts';
import { createRowMapper } from '../statements/row-mapper.ts';

const fields = createRowMapper(transitions, 't', {}, ['sessionId', 'actor']);

/** Finds, for each given session that was replaced, the caller who started the session that replaces it. */
export const findCallersOfReplacements = prepareQuery(
  'replacers',
  fields,
  // The lateral subquery reads the primary key backwards, and stops at the replacement, which happens once.
  `select ${fields.list}
   from unnest($1::uuid[]) as wanted(session_id)
   cross join lateral (
     select * from status_transition t
     where t.session_id = wanted.session_id and t.sub_status = 'REPLACED' and t.source = 'MUTATION'
       and t.verdict in ('MOVED', 'ENDED', 'DISPUTED')
     order by t.sequence desc limit 1
   ) t`,
);
