import { useViewerAndGateway } from '../gateway/signed-in.tsx';
import { texts } from '../language/texts.ts';
import type { Row } from '../live/rows.ts';
import { formatLocalDateTime } from '../look/time.tsx';
import style from './work.module.css';

interface Props {
  readonly session: Pick<Row, 'assignedAgent' | 'assignedUntil'>;
}

/** Mark in the session list with the assignee and the end of the assignment. Renders nothing without an assignee. */
export function AssigneeMark({ session }: Props) {
  const { name, isViewer, until } = useWorker(session);
  if (!name) return null;
  return (
    <span className={style.mark} data-mine={isViewer || undefined} title={session.assignedAgent ?? undefined}>
      <bdi>{name}</bdi> {until}
    </span>
  );
}

/** Line of a session's page that names the person who works on the session, and until when. */
export function AssigneeLine({ session }: Props) {
  const { name, until } = useWorker(session);
  if (!name) return null;
  return (
    <p className={style.worker}>
      {texts.work.workedOnBy}{' '}
      <b>
        <bdi>{name}</bdi>
      </b>{' '}
      {until}
    </p>
  );
}

function useWorker({ assignedAgent, assignedUntil }: Props['session']) {
  const { viewer } = useViewerAndGateway();
  const isViewer = assignedAgent === viewer.id;
  return {
    /** Null if the session has no assignee. */
    name: isViewer ? texts.work.you : assignedAgent,
    isViewer,
    /** Null if the assignment lasts until the work is done. */
    until: assignedUntil && texts.work.until(formatEnd(assignedUntil)),
  };
}

const TIME = new Intl.DateTimeFormat(texts.locale, { timeStyle: 'short', hourCycle: 'h23' });

/** Formats the end of a lease: the time if it is today, otherwise with its day. */
function formatEnd(at: string): string {
  const end = new Date(at);
  return end.toDateString() === new Date().toDateString() ? TIME.format(end) : formatLocalDateTime(at);
}
