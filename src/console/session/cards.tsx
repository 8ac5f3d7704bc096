import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { SessionDetails } from '../live/session.ts';
import { CopyButton } from '../look/copy.tsx';
import { humanize } from '../look/labels.ts';
import panel from '../look/panel.module.css';
import { LocalAndIndianTime, LocalTime } from '../look/time.tsx';
import style from './cards.module.css';

function Card({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={`${panel.panel} ${style.card}`} aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

/** A name and what it is; nothing where it is unknown. */
function Fact({ name, children }: { name: string; children: ReactNode }) {
  if (children === null || children === undefined || children === '') return null;
  return (
    <div className={style.fact}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The person, and the link that is theirs. What the viewer's role may not see is not there. */
export function CustomerCard({ page: { user, link, linkExpiresAt } }: { page: SessionDetails }) {
  return (
    <Card title="Customer">
      <dl>
        <Fact name="Name">{user.name}</Fact>
        <Fact name="Phone">{user.phone}</Fact>
        <Fact name="Email">{user.email}</Fact>
        <Fact name="User id">{user.userId}</Fact>
        <Fact name="Link">
          {link && (
            <span className={style.link}>
              <code>{link}</code>
              <CopyButton text={link} what="link" />
            </span>
          )}
        </Fact>
        <Fact name="Link ends">{linkExpiresAt && <LocalAndIndianTime at={linkExpiresAt} />}</Fact>
      </dl>
    </Card>
  );
}

/** All meetings, newest first. */
export function MeetingsCard({ meetings }: { meetings: SessionDetails['meetings']['nodes'] }) {
  return (
    <Card title="Meetings">
      {meetings.length === 0 && <p className={style.none}>None was booked.</p>}
      <ul className={style.list}>
        {meetings.map(({ id, startsAt, status, source, scheduledBy, cancelledBy, cancelReason }) => (
          <li key={id}>
            <b>
              <LocalAndIndianTime at={startsAt} />
            </b>
            <span className={style.tag}>{humanize(status)}</span>
            <p>
              {source === 'MUTATION'
                ? `Booked here by ${scheduledBy ?? 'somebody'}`
                : 'Booked at the provider'}
              {cancelledBy && `, cancelled by ${cancelledBy}`}
              {cancelReason && `: “${cancelReason}”`}
            </p>
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** What agent and auditor decided. */
export function ReviewsCard({ reviews }: { reviews: SessionDetails['reviews'] }) {
  return (
    <Card title="Reviews">
      {reviews.length === 0 && <p className={style.none}>Nobody has decided yet.</p>}
      <ul className={style.list}>
        {reviews.map(({ id, stage, decision, reviewer, remarks, recordedAt }) => (
          <li key={id}>
            <b>
              {humanize(stage)}: {humanize(decision)}
            </b>
            <p>
              {reviewer ?? 'At the provider'}, <LocalTime at={recordedAt} />
            </p>
            {remarks && <blockquote>{remarks}</blockquote>}
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** What one quotes to the provider's support, and the tries before and after this one. */
export function FactsCard({ page }: { page: SessionDetails }) {
  return (
    <Card title="Facts">
      <dl>
        <Fact name="Reference id">{page.referenceId}</Fact>
        <Fact name="Started">
          <LocalTime at={page.createdAt} />
        </Fact>
        <Fact name="Last news">
          <LocalTime at={page.updatedAt} />
        </Fact>
        <Fact name="Replaces">{page.replaces && <To session={page.replaces} />}</Fact>
        <Fact name="Replaced by">{page.replacedBy && <To session={page.replacedBy} />}</Fact>
      </dl>
    </Card>
  );
}

function To({ session: { id, verificationId } }: { session: { id: string; verificationId: string } }) {
  return <Link href={`/sessions/${encodeURIComponent(id)}`}>{verificationId}</Link>;
}
