import { lazy, Suspense, useCallback } from 'react';
import { Link, useLocation } from 'wouter';
import { ActionButtons, PageHeadActions } from '../acting/actions.tsx';
import { findNextIdInLastList, getLastListAddress } from '../floor/last-list.ts';
import { useViewerAndGateway } from '../gateway/signed-in.tsx';
import { TranslatedGatewayText } from '../language/gateway-text.tsx';
import { TextWithElements } from '../language/sentence.tsx';
import { texts } from '../language/texts.ts';
import { useReportFeedState } from '../live/badge.tsx';
import { LiveSessionStore, type SessionDetails } from '../live/session.ts';
import { useStore } from '../live/store.ts';
import { useStartedWhileMounted } from '../live/use-live.ts';
import { CopyButton } from '../look/copy.tsx';
import { useShortcutKeys } from '../look/keys.ts';
import { getStepLabel } from '../look/labels.ts';
import { FailureNotice, Notice } from '../look/notice.tsx';
import panel from '../look/panel.module.css';
import { StatusBadge, WaitingOn } from '../look/status.tsx';
import { TimeSince, TimeZoneNote } from '../look/time.tsx';
import { useTitle } from '../look/title.ts';
import { UserText } from '../look/user-text.tsx';
import { AssignmentsCard } from '../work/assignments-card.tsx';
import { AssigneeLine } from '../work/worker.tsx';
import cards from './cards.module.css';
import { CustomerCard, DetailsCard, MeetingsCard, ReviewsCard, SessionLink } from './cards.tsx';
import {
  ClosureCard,
  DisputeResolutionsCard,
  LabelsCard,
  NotesCard,
  OpenEscalationNotice,
  ResolvedEscalationsCard,
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
  const { gateway } = useViewerAndGateway();
  const live = useStartedWhileMounted(() => new LiveSessionStore(gateway, id), [gateway, id]);
  const { page, missing, log, hasOlder, state, failure } = useStore(live);
  useReportFeedState(state);
  useTitle(
    missing
      ? texts.session.notFound
      : page && `${page.verificationId} · ${getStepLabel(page.statusInfo.subStatus)}`,
  );
  const onDone = useCallback(
    (session: Parameters<LiveSessionStore['applyResult']>[0]) => live.applyResult(session),
    [live],
  );

  const [, navigate] = useLocation();
  useShortcutKeys(['n'], () => {
    const next = findNextIdInLastList(id);
    if (next) navigate(`/sessions/${encodeURIComponent(next)}`);
  });
  const onMoreMeetings = useCallback(() => live.loadMoreMeetings(), [live]);

  if (missing)
    return (
      <>
        <h1>{texts.session.notFound}</h1>
        <p>
          {texts.session.noAccess} <Link href="/">{texts.frame.goToAllSessions}</Link>
        </p>
      </>
    );
  if (!page)
    return failure ? <FailureNotice failure={failure} /> : <p role="status">{texts.frame.loading}</p>;

  return (
    <article className={style.page}>
      <Head page={page} />
      <div className={style.notices}>
        {failure && <FailureNotice failure={failure} />}
        {page.disputed && (
          <Notice tone="bad">
            {texts.session.disputed}
            <ActionButtons page={page} place="DISPUTE" onDone={onDone} />
          </Notice>
        )}
        <OpenEscalationNotice page={page} onDone={onDone} />
        {page.replacedBy && (
          <Notice tone="trouble">
            <p>
              <TextWithElements parts={texts.session.replacedBy(<SessionLink session={page.replacedBy} />)} />
            </p>
          </Notice>
        )}
      </div>
      <div className={style.actions}>
        <PageHeadActions page={page} onDone={onDone} />
      </div>
      <section aria-label={texts.session.journey.title} className={CARD}>
        <Suspense fallback={<p role="status">{texts.frame.loading}</p>}>
          <Journey now={page.statusInfo} log={log} />
        </Suspense>
      </section>
      <div className={style.columns}>
        <section aria-label={texts.session.timeline} className={CARD}>
          <h2>{texts.session.timeline}</h2>
          <Timeline log={log} hasOlder={hasOlder} onOlder={() => live.loadOlder()} />
        </section>
        <div className={style.side}>
          <ClosureCard closure={page.closure} />
          <NotesCard page={page} onDone={onDone} onMore={() => live.loadMoreNotes()} />
          <ResolvedEscalationsCard escalations={page.escalations} />
          <DisputeResolutionsCard resolutions={page.disputeResolutions} />
          <CustomerCard user={page.user} link={page.link} linkExpiresAt={page.linkExpiresAt} />
          <MeetingsCard meetings={page.meetings} onMore={onMoreMeetings} />
          <ReviewsCard reviews={page.reviews} agentRemarks={page.agentRemarks} />
          <AssignmentsCard assignments={page.assignments} />
          <LabelsCard page={page} onDone={onDone} />
          <DetailsCard page={page} />
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
        <Link href={getLastListAddress()}>{texts.frame.sessions}</Link> <span aria-hidden>›</span>
      </p>
      <div className={style.title}>
        <h1>{verificationId}</h1>
        <CopyButton text={verificationId} what={texts.session.verificationId} />
        {user.name && (
          <p>
            <UserText>{user.name}</UserText>
          </p>
        )}
      </div>
      <div className={style.state} aria-live="polite">
        <StatusBadge of={statusInfo} big />
        <p>
          <b>
            <TranslatedGatewayText>{statusInfo.explanation}</TranslatedGatewayText>
          </b>{' '}
          <TranslatedGatewayText>{statusInfo.recommendedAction}</TranslatedGatewayText>
        </p>
        {statusInfo.waitingOn !== 'NOBODY' && (
          <p className={style.waiting}>
            {statusInfo.waitingOn === 'MERCHANT' ? (
              <b>{texts.session.weHaveToAct}</b>
            ) : (
              <TextWithElements parts={texts.session.waitingOn(<WaitingOn party={statusInfo.waitingOn} />)} />
            )}{' '}
            <TextWithElements parts={texts.session.since(<TimeSince since={statusSince} />)} />
          </p>
        )}
        <AssigneeLine session={page} />
      </div>
      <TimeZoneNote />
    </header>
  );
}
