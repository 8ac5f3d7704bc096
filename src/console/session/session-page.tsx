import { lazy, Suspense, useCallback } from 'react';
import { Link, useLocation } from 'wouter';
import { ActionButtons, Actions } from '../acting/actions.tsx';
import { findNextSession, listAddress } from '../floor/last-list.ts';
import { useSignedIn } from '../gateway/signed-in.tsx';
import { useReportState } from '../live/badge.tsx';
import { LiveSession, type SessionDetails } from '../live/session.ts';
import { useStore } from '../live/store.ts';
import { useLive } from '../live/use-live.ts';
import { CopyButton } from '../look/copy.tsx';
import { useKeys } from '../look/keys.ts';
import { humanize } from '../look/labels.ts';
import { Notice } from '../look/notice.tsx';
import panel from '../look/panel.module.css';
import { StatusBadge, WaitingOn } from '../look/status.tsx';
import { TimeSince } from '../look/time.tsx';
import { useTitle } from '../look/title.ts';
import { UserText } from '../look/user-text.tsx';
import { AssignmentsCard } from '../work/assignments-card.tsx';
import { Worker } from '../work/worker.tsx';
import cards from './cards.module.css';
import { CustomerCard, FactsCard, MeetingsCard, ReviewsCard, SessionLink } from './cards.tsx';
import {
  ClosureCard,
  DisputesCard,
  EscalationNotice,
  EscalationsCard,
  LabelsCard,
  NotesCard,
} from './records.tsx';
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
  useTitle(
    missing ? 'Session not found' : page && `${page.verificationId} · ${humanize(page.statusInfo.subStatus)}`,
  );
  const onDone = useCallback(
    (session: Parameters<LiveSession['applyResult']>[0]) => live.applyResult(session),
    [live],
  );

  const [, navigate] = useLocation();
  useKeys(['n'], () => {
    const next = findNextSession(id);
    if (next) navigate(`/sessions/${encodeURIComponent(next)}`);
  });
  const onMoreMeetings = useCallback(() => live.loadMoreMeetings(), [live]);

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
      <div className={style.notices}>
        {failure && <Notice tone="bad">{failure.message}</Notice>}
        {page.disputed && (
          <Notice tone="bad">
            Disputed: the decision of the provider contradicts the one recorded here. Do not onboard this
            customer until the dispute has been resolved.
            <ActionButtons page={page} place="DISPUTE" onDone={onDone} />
          </Notice>
        )}
        <EscalationNotice page={page} onDone={onDone} />
        {page.replacedBy && (
          <Notice tone="trouble">
            <p>
              Another session replaces this one: <SessionLink session={page.replacedBy} />
            </p>
          </Notice>
        )}
      </div>
      <div className={style.actions}>
        <Actions page={page} onDone={onDone} />
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
          <ClosureCard closure={page.closure} />
          <NotesCard page={page} onDone={onDone} onMore={() => live.loadMoreNotes()} />
          <EscalationsCard escalations={page.escalations} />
          <DisputesCard resolutions={page.disputeResolutions} />
          <CustomerCard user={page.user} link={page.link} linkExpiresAt={page.linkExpiresAt} />
          <MeetingsCard meetings={page.meetings} onMore={onMoreMeetings} />
          <ReviewsCard reviews={page.reviews} agentRemarks={page.agentRemarks} />
          <AssignmentsCard assignments={page.assignments} />
          <LabelsCard page={page} onDone={onDone} />
          <FactsCard page={page} />
        </div>
      </div>
    </article>
  );
}

function Head({ page }: { page: SessionDetails }) {
  const { verificationId, user, statusInfo, statusSince } = page;
  return (
    <header className={style.head}>
      <p>
        <Link href={listAddress()}>Sessions</Link> <span aria-hidden>›</span>
      </p>
      <div className={style.title}>
        <h1>{verificationId}</h1>
        <CopyButton text={verificationId} what="verification ID" />
        {user.name && (
          <p>
            <UserText>{user.name}</UserText>
          </p>
        )}
      </div>
      <div className={style.state} aria-live="polite">
        <StatusBadge of={statusInfo} big />
        <p>
          <b>{statusInfo.explanation}</b> {statusInfo.recommendedAction}
        </p>
        {statusInfo.waitingOn !== 'NOBODY' && (
          <p className={style.waiting}>
            {statusInfo.waitingOn === 'MERCHANT' ? (
              <b>We have to act,</b>
            ) : (
              <>
                Waiting on <WaitingOn party={statusInfo.waitingOn} />
              </>
            )}{' '}
            for <TimeSince since={statusSince} />
          </p>
        )}
        <Worker session={page} />
      </div>
    </header>
  );
}
