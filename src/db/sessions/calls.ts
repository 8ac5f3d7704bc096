import { SUB_STATUSES_AFTER_A_CALL } from '../../domain/actions.ts';
import { transitions } from '../schema/tables.ts';
import { prepareQuery } from '../statements/prepared.ts';
import { createRowMapper } from '../statements/row-mapper.ts';

const fields = createRowMapper(transitions, 't', {}, ['sessionId', 'subStatus']);

/**
 * Finds those of the given sessions in which a call took place. A transition that was not applied counts too: after
 * staff closed a session, the provider may report a call and a decision about it, which disputes the closing.
 */
export const findSessionsWithCall = prepareQuery(
  'sessions with a call',
  fields,
  // The lateral subquery reads the primary key backwards, and stops at the newest report of a call.
  `select ${fields.list}
   from unnest($1::uuid[]) as wanted(session_id)
   cross join lateral (
     select * from status_transition t
     where t.session_id = wanted.session_id
       and t.sub_status in (${SUB_STATUSES_AFTER_A_CALL.map((subStatus) => `'${subStatus}'`).join(', ')})
     order by t.sequence desc limit 1
   ) t`,
);
