import { memo, type ReactNode } from 'react';
import { texts } from '../language/texts.ts';
import type { SessionDetails } from '../live/session.ts';
import { LocalTime } from '../look/time.tsx';
import { UserText } from '../look/user-text.tsx';
import cards from '../session/cards.module.css';
import { Card } from '../session/cards.tsx';

/** Card with the assignments of a session, newest first. Renders nothing if there are none, or the viewer may not see them. */
export const AssignmentsCard = memo(function AssignmentsCard({
  assignments,
}: Pick<SessionDetails, 'assignments'>) {
  if (!assignments || assignments.length === 0) return null;
  return (
    <Card title={texts.work.assignments}>
      <ul className={cards.list}>
        {assignments
          .toReversed()
          .map(
            ({ id, agent, claimed, assignedBy, assignedAt, takenOverFrom, unassignedBy, unassignedAt }) => (
              <li key={id}>
                <b>
                  <UserText>{agent}</UserText>
                </b>
                <p>
                  {claimed ? texts.work.fromQueue : <Named label={texts.work.assignedBy}>{assignedBy}</Named>}
                  , <LocalTime at={assignedAt} />
                </p>
                {takenOverFrom && (
                  <p>
                    <Named label={texts.work.takenOverFrom}>{takenOverFrom}</Named>
                  </p>
                )}
                {unassignedBy && unassignedAt && (
                  <p>
                    <Named label={texts.work.endedBy}>{unassignedBy}</Named>, <LocalTime at={unassignedAt} />
                  </p>
                )}
              </li>
            ),
          )}
      </ul>
    </Card>
  );
});

function Named({ label, children }: { label: ReactNode; children: string }) {
  return (
    <>
      {label} <UserText>{children}</UserText>
    </>
  );
}
