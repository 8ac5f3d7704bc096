import {
  ENDED_CALL_SUB_STATUSES,
  type EndedCallSubStatus,
  REVIEW_BY_SUB_STATUS,
} from '../../domain/actions.ts';
import { APPLIED_VERDICTS } from '../../domain/session.ts';
import type { Queryable } from '../connection/client.ts';
import { transitions } from '../schema/tables.ts';
import { prepareQuery } from '../statements/prepared.ts';
import { createRowMapper } from '../statements/row-mapper.ts';

/** Session whose newest call no agent has reviewed, and how that call ended. */
export interface UnreviewedCall {
  readonly sessionId: string;
  readonly subStatus: EndedCallSubStatus;
}

/**
 * Finds those of the given sessions whose newest ended call no agent has reviewed. Only applied transitions count:
 * a late webhook may report a call that was already reviewed.
 */
export const findUnreviewedCalls = async (
  db: Queryable,
  sessionIds: readonly string[],
): Promise<UnreviewedCall[]> => (await unreviewedCalls(db, sessionIds)) as UnreviewedCall[];

const quoted = (values: readonly string[]) => values.map((value) => `'${value}'`).join(', ');
const agentReviews = Object.entries(REVIEW_BY_SUB_STATUS).flatMap(([subStatus, { stage }]) =>
  stage === 'AGENT' ? [subStatus] : [],
);

const fields = createRowMapper(transitions, 't', {}, ['sessionId', 'subStatus']);
const unreviewedCalls = prepareQuery(
  'unreviewed calls',
  fields,
  // The lateral subquery reads the primary key backwards, and stops at the newest call or review of a session.
  `select ${fields.list}
   from unnest($1::uuid[]) as wanted(session_id)
   cross join lateral (
     select * from status_transition t
     where t.session_id = wanted.session_id and t.verdict in (${quoted(APPLIED_VERDICTS)})
       and t.sub_status in (${quoted([...ENDED_CALL_SUB_STATUSES, ...agentReviews])})
     order by t.sequence desc limit 1
   ) t
   where t.sub_status in (${quoted(ENDED_CALL_SUB_STATUSES)})`,
);
