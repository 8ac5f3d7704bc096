/**
 * Hand-written scheduleMeeting for peers (servers that the benchmarks compare with the gateway): it stores the same
 * rows as the gateway in one transaction, but does not check whether the action is allowed, which takes the gateway
 * almost no time.
 */
import { randomUUID } from 'node:crypto';
import { getStatusInfo } from '../../../../.build/domain/status.js';
import { addTransition, audit, inTransaction, lockSession, nextTransition, ring } from './changes.mjs';
import { globalId, keyOf } from './ids.mjs';
import { sealer } from './setting.mjs';

const TO = { status: 'PRE_VIDEO_CALL', subStatus: 'USER_MEETING_SCHEDULED' };

export async function schedule(viewer, { input }) {
  const startsAt = new Date(input.startsAt);
  const id = randomUUID();
  const transition = await inTransaction(async (run) => {
    const now = new Date();
    const [session] = await lockSession(run, 'id', keyOf(input.sessionId));
    const call = [viewer.id, 'SCHEDULE_MEETING', input.idempotencyKey];
    const earlier = await run(
      'find-call',
      'select * from idempotency_key where caller = $1 and mutation = $2 and key = $3',
      call,
    );
    if (earlier.length > 0) throw new Error('The idempotency key was already used');
    await run('booked', `select * from meeting where session_id = $1 and status = 'SCHEDULED'`, [session.id]);
    await run('reviews', 'select * from review where session_id = $1 order by sequence', [session.id]);
    const [ended] = await run(
      'end-meeting',
      `update meeting set status = 'RESCHEDULED' where session_id = $1 and status = 'SCHEDULED' returning
       id, starts_at as "startsAt", status, source, scheduled_by as "scheduledBy", created_at as "createdAt"`,
      [session.id],
    );
    const meeting = {
      id,
      startsAt,
      status: 'SCHEDULED',
      source: 'MUTATION',
      scheduledBy: viewer.id,
      createdAt: now,
    };
    await run(
      'add-meeting',
      `insert into meeting (id, session_id, starts_at, status, source, scheduled_by, created_at)
       values ($1, $2, $3, $4, $5, $6, $7)`,
      [id, session.id, startsAt, meeting.status, meeting.source, viewer.id, now],
    );
    const next = nextTransition(session, { ...TO, source: 'MUTATION', actor: viewer.id, recordedAt: now });
    await addTransition(run, next);
    await run(
      'moved-here',
      `update vkyc_session set status = $2, sub_status = $3, version = $4, last_sequence = $4, waiting_on = $5,
       decided_here = true, raw_status = null, raw_sub_status = null, status_since = $6, updated_at = $6,
       meeting_at = $7 where id = $1`,
      [session.id, TO.status, TO.subStatus, next.sequence, getStatusInfo(TO).waitingOn, now, startsAt],
    );
    await run(
      'add-call',
      `insert into idempotency_key (caller, mutation, key, input_hash, session_id, outcome_id, created_at)
       values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning key`,
      [...call, sealer.hash(JSON.stringify(input)), session.id, id, now],
    );
    const notes = [ended && ['MEETING', ended], ['MEETING', meeting], ['TRANSITION', next]];
    await audit(run, session.id, notes.filter(Boolean), now);
    return next;
  });
  void ring(transition.sessionId, transition.sequence).catch(() => {});
  return {
    scheduleMeeting: {
      __typename: 'ScheduleMeetingSuccess',
      session: {
        id: input.sessionId,
        version: transition.sequence,
        statusInfo: { ...TO, waitingOn: getStatusInfo(TO).waitingOn },
      },
      meeting: { id: globalId('Meeting', id), startsAt, status: 'SCHEDULED' },
      replayed: false,
    },
  };
}
