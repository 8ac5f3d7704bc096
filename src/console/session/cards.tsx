import { memo, type ReactNode, useState } from 'react';
import { Link } from 'wouter';
import type { SessionDetails } from '../live/session.ts';
import { Button } from '../look/button.tsx';
import { CopyButton } from '../look/copy.tsx';
import { findLabel, humanize, REVIEW_REASON_LABELS } from '../look/labels.ts';
import panel from '../look/panel.module.css';
import { LocalAndIndianTime, LocalTime } from '../look/time.tsx';
import { UserText } from '../look/user-text.tsx';
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
export const CustomerCard = memo(function CustomerCard({
  user,
  link,
  linkExpiresAt,
}: Pick<SessionDetails, 'user' | 'link' | 'linkExpiresAt'>) {
  return (
    <Card title="Customer">
      <dl>
        <Fact name="Name">{user.name && <UserText>{user.name}</UserText>}</Fact>
        <Fact name="Phone">{user.phone && <UserText>{user.phone}</UserText>}</Fact>
        <Fact name="Email">{user.email && <UserText>{user.email}</UserText>}</Fact>
        <Fact name="User ID">{user.userId && <UserText>{user.userId}</UserText>}</Fact>
        <Fact name="Link">
          {link && (
            <span className={style.link}>
              <code>
                <UserText>{link}</UserText>
              </code>
              <CopyButton text={link} what="link" />
            </span>
          )}
        </Fact>
        <Fact name="Link expires">{linkExpiresAt && <LocalAndIndianTime at={linkExpiresAt} />}</Fact>
      </dl>
    </Card>
  );
});

interface MoreProps {
  readonly noun: string;
  readonly list: {
    readonly nodes: readonly unknown[];
    readonly pageInfo: { readonly hasNextPage: boolean };
    readonly totalCount: number | null;
  };
  readonly onMore: () => Promise<void>;
}

/** Says how many entries of a list are shown, and loads more. Renders nothing if all are shown. */
export function MoreEntries({ noun, list: { nodes, pageInfo, totalCount }, onMore }: MoreProps) {
  const [loading, setLoading] = useState(false);
  if (!pageInfo.hasNextPage) return null;
  const load = async () => {
    setLoading(true);
    await onMore();
    setLoading(false);
  };
  return (
    <p className={style.more}>
      <span role="status">
        {nodes.length} of {totalCount === null ? `more than ${nodes.length}` : totalCount} {noun} are shown.
      </span>
      <Button isPending={loading} onPress={load}>
        Show more {noun}
      </Button>
    </p>
  );
}

interface MeetingsProps {
  readonly meetings: SessionDetails['meetings'];
  readonly onMore: () => Promise<void>;
}

/** Card with the meetings of the session, newest first. */
export const MeetingsCard = memo(function MeetingsCard({ meetings, onMore }: MeetingsProps) {
  return (
    <Card title="Meetings">
      {meetings.nodes.length === 0 && <p className={style.none}>No meetings booked.</p>}
      <ul className={style.list}>
        {meetings.nodes.map(
          ({ id, startsAt, status, source, scheduledBy, reason, cancelledBy, cancelReason }) => (
            <li key={id}>
              <b>
                <LocalAndIndianTime at={startsAt} />
              </b>
              <span className={style.tag}>{humanize(status)}</span>
              <p>
                {source === 'MUTATION' ? (
                  <>
                    Booked here by <UserText>{scheduledBy ?? 'an unknown user'}</UserText>
                  </>
                ) : (
                  'Booked at the provider'
                )}
                <Quoted text={reason} />
                {cancelledBy && (
                  <>
                    , cancelled by <UserText>{cancelledBy}</UserText>
                  </>
                )}
                <Quoted text={cancelReason} />
              </p>
            </li>
          ),
        )}
      </ul>
      <MoreEntries noun="meetings" list={meetings} onMore={onMore} />
    </Card>
  );
});

/** Words of a person, in quotation marks after a colon. Renders nothing if there are none. */
export function Quoted({ text }: { text: string | null }) {
  if (!text) return null;
  return (
    <>
      : “<UserText>{text}</UserText>”
    </>
  );
}

/** Words of a person, as a block. Renders nothing if there are none. */
export function Words({ text }: { text: string | null }) {
  if (!text) return null;
  return (
    <blockquote>
      <UserText>{text}</UserText>
    </blockquote>
  );
}

/** Card with the reviews by agents and auditors, and the remarks of the agent at the provider. */
export const ReviewsCard = memo(function ReviewsCard({
  reviews,
  agentRemarks,
}: Pick<SessionDetails, 'reviews' | 'agentRemarks'>) {
  return (
    <Card title="Reviews">
      {reviews.length === 0 && !agentRemarks && <p className={style.none}>No reviews yet.</p>}
      {agentRemarks && (
        <div className={style.list}>
          <p>Remarks of the agent at the provider</p>
          <Words text={agentRemarks} />
        </div>
      )}
      <ul className={style.list}>
        {reviews.map((review) => (
          <li key={review.id}>
            <b>
              {humanize(review.stage)}: {humanize(review.decision)}
            </b>
            <p>
              <UserText>{review.reviewer ?? 'Recorded at the provider'}</UserText>,{' '}
              <LocalTime at={review.recordedAt} />
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
            <Words text={review.remarks} />
            {review.customerMessage && (
              <>
                <p>To the customer:</p>
                <Words text={review.customerMessage} />
              </>
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
});

/**
 * Card with the reference id for the provider's support, the times, and links to the sessions that the
 * session replaces or is replaced by.
 */
export function FactsCard({ page }: { page: SessionDetails }) {
  return (
    <Card title="Details">
      <dl>
        <Fact name="Reference ID">{page.referenceId && <UserText>{page.referenceId}</UserText>}</Fact>
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
