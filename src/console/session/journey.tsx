import type { Transition } from '../live/session.ts';
import type { StatusInfo } from '../live/states.ts';

/** Where the session is, where it has been and where it may go. */
export default function Journey({ now, log }: { now: StatusInfo; log: readonly Transition[] }) {
  return (
    <p>
      {now.subStatus} after {log.length}
    </p>
  );
}
