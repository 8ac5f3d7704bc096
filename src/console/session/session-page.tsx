import { lazy, Suspense, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { Actions } from '../acting/actions.tsx';
import { StartSessionDialog } from '../acting/start-session.tsx';
import { useHasRole, useSignedIn } from '../gateway/signed-in.tsx';
import { useReportState } from '../live/badge.tsx';
import { LiveSession, type SessionDetails } from '../live/session.ts';
import { useStore } from '../live/store.ts';
import { useLive } from '../live/use-live.ts';
import { Button } from '../look/button.tsx';
import { CopyButton } from '../look/copy.tsx';
import { Notice } from '../look/notice.tsx';
import panel from '../look/panel.module.css';
import { StatusBadge, WaitingOn } from '../look/status.tsx';
import { TimeSince } from '../look/time.tsx';
import cards from './cards.module.css';
import { CustomerCard, FactsCard, MeetingsCard, ReviewsCard } from './cards.tsx';
import style from './session-page.module.css';
import { Timeline } from './timeline.tsx';

const CARD = `${panel.panel} ${cards.card}`;

const Journey = lazy(() => import('./journey.tsx'));

/**
 * Page of one session: its status, actions, map, timeline and details. A subscription keeps the page up to
 * date.
 */
export function SessionPage({ id }: { id: string }) {
  const { gateway } = useSignedIn();
  const live = useLive(() => new LiveSession(gateway, id), [gateway, id]);
  const { page, missing, log, hasOlder, state, failure } = useStore(live);
  useReportState(state);

  if (missing)
    return (
      <>
        <h1>Session not found</h1>
        <p>
          This session does not exist, or you do not have access to it.{' '}
          <Link href="/">Go to all sessions</Link>
        </p>
      </>
    );
  if (!page) return failure ? <Notice tone="bad">{failure.message}</Notice> : <p role="status">Loading…</p>;

  return (
    <article className={style.page}>
      <Head page={page} />
      {failure && <Notice tone="bad">{failure.message}</Notice>}
      {page.disputed && (
        <Notice tone="bad">
          Disputed: the decision of the provider contradicts the one recorded here. Do not onboard this
          customer until the dispute has been resolved.
        </Notice>
      )}
      <div className={style.actions}>
        <Actions page={page} onDone={(session) => live.applyResult(session)} />
        <StartReplacement page={page} />
      </div>
      <section aria-label="Journey" className={CARD}>
        <Suspense fallback={<p role="status">Loading…</p>}>
          <Journey now={page.statusInfo} log={log} />
        </Suspense>
      </section>
      <div className={style.columns}>
        <section aria-label="Timeline" className={CARD}>
          <h2>Timeline</h2>
          <Timeline log={log} hasOlder={hasOlder} onOlder={() => live.loadOlder()} />
        </section>
        <div className={style.side}>
          <CustomerCard page={page} />
          <MeetingsCard meetings={page.meetings.nodes} />
          <ReviewsCard reviews={page.reviews} />
          <FactsCard page={page} />
        </div>
      </div>
    </article>
  );
}

function Head({ page: { verificationId, statusInfo, statusSince } }: { page: SessionDetails }) {
  return (
    <header className={style.head}>
      <p>
        <Link href="/">Sessions</Link> <span aria-hidden>›</span>
      </p>
      <div className={style.title}>
        <h1>{verificationId}</h1>
        <CopyButton text={verificationId} what="verification ID" />
      </div>
      <div className={style.state} aria-live="polite">
        <StatusBadge of={statusInfo} big />
        <p>
          <b>{statusInfo.explanation}</b> {statusInfo.recommendedAction}
        </p>
        {!statusInfo.terminal && (
          <p className={style.waiting}>
            Waiting on <WaitingOn party={statusInfo.waitingOn} /> for <TimeSince since={statusSince} />
          </p>
        )}
      </div>
    </header>
  );
}

/** Button that starts a new session to replace a session that expired, failed or was rejected. */
function StartReplacement({ page }: { page: SessionDetails }) {
  const [, navigate] = useLocation();
  const [open, setOpen] = useState(false);
  const mayStart = useHasRole('OPERATOR', 'ADMIN');
  const isUnsuccessful = ['EXPIRED', 'REJECTED', 'FAILED'].includes(page.statusInfo.status);
  if (!mayStart || !isUnsuccessful || page.replacedBy) return null;
  return (
    <>
      <Button look="primary" onPress={() => setOpen(true)}>
        Start a new session
      </Button>
      {open && (
        <StartSessionDialog
          replaces={page}
          onClose={() => setOpen(false)}
          onStarted={({ id }) => navigate(`/sessions/${encodeURIComponent(id)}`)}
        />
      )}
    </>
  );
}
