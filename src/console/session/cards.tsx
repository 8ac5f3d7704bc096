import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { SessionDetails } from '../live/session.ts';
import { CopyButton } from '../look/copy.tsx';
import { findLabel, humanize, REVIEW_REASON_LABELS } from '../look/labels.ts';
import panel from '../look/panel.module.css';
import { LocalAndIndianTime, LocalTime } from '../look/time.tsx';
import style from './cards.module.css';

interface CardProps {
  readonly title: string;
  /** Buttons next to the title. */
  readonly buttons?: ReactNode;
  readonly children: ReactNode;
}

/** Section of the session page, with a title. */
export function Card({ title, buttons, children }: CardProps) {
  return (
    <section className={`${panel.panel} ${style.card}`} aria-label={title}>
      <header className={style.top}>
        <h2>{title}</h2>
        {buttons}
      </header>
      {children}
    </section>
  );
}

/** Label with its value. Renders nothing if there is no value. */
export function Fact({ name, children }: { name: string; children: ReactNode }) {
  if (children === null || children === undefined || children === '' || children === false) return null;
  return (
    <div className={style.fact}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/**
 * Card with the customer's data and link. Fields that the viewer's role may not see are null, and are not
 * shown.
 */
export function CustomerCard({ page: { user, link, linkExpiresAt } }: { page: SessionDetails }) {
  return (
    <Card title="Customer">
      <dl>
        <Fact name="Name">{user.name}</Fact>
        <Fact name="Phone">{user.phone}</Fact>
        <Fact name="Email">{user.email}</Fact>
        <Fact name="User ID">{user.userId}</Fact>
        <Fact name="Link">
          {link && (
            <span className={style.link}>
              <code>{link}</code>
              <CopyButton text={link} what="link" />
            </span>
          )}
        </Fact>
        <Fact name="Link expires">{linkExpiresAt && <LocalAndIndianTime at={linkExpiresAt} />}</Fact>
      </dl>
    </Card>
  );
}

/** Card with all meetings of the session, newest first. */
export function MeetingsCard({ meetings }: { meetings: SessionDetails['meetings']['nodes'] }) {
  return (
    <Card title="Meetings">
      {meetings.length === 0 && <p className={style.none}>No meetings booked.</p>}
      <ul className={style.list}>
        {meetings.map(({ id, startsAt, status, source, scheduledBy, reason, cancelledBy, cancelReason }) => (
          <li key={id}>
            <b>
              <LocalAndIndianTime at={startsAt} />
            </b>
            <span className={style.tag}>{humanize(status)}</span>
            <p>
              {source === 'MUTATION'
                ? `Booked here by ${scheduledBy ?? 'an unknown user'}`
                : 'Booked at the provider'}
              {reason && `: “${reason}”`}
              {cancelledBy && `, cancelled by ${cancelledBy}`}
              {cancelReason && `: “${cancelReason}”`}
            </p>
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** Card with the reviews by agents and auditors, and the remarks of the agent at the provider. */
export function ReviewsCard({ page: { reviews, agentRemarks } }: { page: SessionDetails }) {
  return (
    <Card title="Reviews">
      {reviews.length === 0 && !agentRemarks && <p className={style.none}>No reviews yet.</p>}
      {agentRemarks && (
        <div className={style.list}>
          <p>Remarks of the agent at the provider</p>
          <blockquote>{agentRemarks}</blockquote>
        </div>
      )}
      <ul className={style.list}>
        {reviews.map((review) => (
          <li key={review.id}>
            <b>
              {humanize(review.stage)}: {humanize(review.decision)}
            </b>
            <p>
              {review.reviewer ?? 'Recorded at the provider'}, <LocalTime at={review.recordedAt} />
              {review.callComplete !== null &&
                (review.callComplete
                  ? ', stated that the call was complete'
                  : ', stated that the call was not complete')}
            </p>
            {review.reasons.length > 0 && (
              <ul className={style.tags} aria-label="Reasons">
                {review.reasons.map((reason) => (
                  <li key={reason}>{findLabel(REVIEW_REASON_LABELS, reason)}</li>
                ))}
              </ul>
            )}
            {review.remarks && <blockquote>{review.remarks}</blockquote>}
            {review.customerMessage && (
              <>
                <p>To the customer:</p>
                <blockquote>{review.customerMessage}</blockquote>
              </>
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}

/**
 * Card with the reference id for the provider's support, the times, and links to the sessions that the
 * session replaces or is replaced by.
 */
export function FactsCard({ page }: { page: SessionDetails }) {
  return (
    <Card title="Details">
      <dl>
        <Fact name="Reference ID">{page.referenceId}</Fact>
        <Fact name="At the provider">
          {page.providerSubStatus !== page.statusInfo.subStatus && (
            <>
              {humanize(page.providerSubStatus)}
              {!page.providerAgrees && !page.disputed && !page.replacedBy && (
                <small> (has not confirmed our status yet)</small>
              )}
            </>
          )}
        </Fact>
        <Fact name="Started">
          <LocalTime at={page.createdAt} />
        </Fact>
        <Fact name="Last update">
          <LocalTime at={page.updatedAt} />
        </Fact>
        <Fact name="Replaces">{page.replaces && <SessionLink session={page.replaces} />}</Fact>
        <Fact name="Replaced by">{page.replacedBy && <SessionLink session={page.replacedBy} />}</Fact>
      </dl>
    </Card>
  );
}

/** Link to the page of another session. */
export function SessionLink({
  session: { id, verificationId },
}: {
  session: { id: string; verificationId: string };
}) {
  return <Link href={`/sessions/${encodeURIComponent(id)}`}>{verificationId}</Link>;
}
