import { memo, type ReactNode, useState } from 'react';
import { Link } from 'wouter';
import { TextWithElements } from '../language/sentence.tsx';
import { texts } from '../language/texts.ts';
import type { SessionDetails } from '../live/session.ts';
import { Button } from '../look/button.tsx';
import { CopyButton } from '../look/copy.tsx';
import {
  getLabel,
  getStepLabel,
  MEETING_STATUS_LABELS,
  REVIEW_DECISION_LABELS,
  REVIEW_REASON_LABELS,
  REVIEW_STAGE_LABELS,
} from '../look/labels.ts';
import { formatNumber } from '../look/numbers.ts';
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
    <Card title={texts.session.customer}>
      <dl>
        <Fact name={texts.session.name}>{user.name && <UserText>{user.name}</UserText>}</Fact>
        <Fact name={texts.session.phone}>{user.phone && <UserText>{user.phone}</UserText>}</Fact>
        <Fact name={texts.session.email}>{user.email && <UserText>{user.email}</UserText>}</Fact>
        <Fact name={texts.session.userId}>{user.userId && <UserText>{user.userId}</UserText>}</Fact>
        <Fact name={texts.session.link}>
          {link && (
            <span className={style.link}>
              <code>
                <UserText>{link}</UserText>
              </code>
              <CopyButton text={link} what={texts.session.copiedLink} />
            </span>
          )}
        </Fact>
        <Fact name={texts.session.linkExpires}>
          {linkExpiresAt && <LocalAndIndianTime at={linkExpiresAt} />}
        </Fact>
      </dl>
    </Card>
  );
});

interface MoreProps {
  /** Says how many entries are shown, and names the button. */
  readonly says: typeof texts.session.moreMeetings;
  readonly list: {
    readonly nodes: readonly unknown[];
    readonly pageInfo: { readonly hasNextPage: boolean };
    readonly totalCount: number | null;
  };
  readonly onMore: () => Promise<void>;
}

/** Says how many entries of a list are shown, and loads more. Renders nothing if all are shown. */
export function MoreEntries({ says, list: { nodes, pageInfo, totalCount }, onMore }: MoreProps) {
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
        {says.areShown(formatNumber(nodes.length), totalCount === null ? null : formatNumber(totalCount))}
      </span>
      <Button isPending={loading} onPress={load}>
        {says.show}
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
    <Card title={texts.session.meetings}>
      {meetings.nodes.length === 0 && <p className={style.none}>{texts.session.noMeetings}</p>}
      <ul className={style.list}>
        {meetings.nodes.map(
          ({ id, startsAt, status, source, scheduledBy, reason, cancelledBy, cancelReason }) => (
            <li key={id}>
              <b>
                <LocalAndIndianTime at={startsAt} />
              </b>
              <span className={style.tag}>{getLabel(MEETING_STATUS_LABELS, status)}</span>
              <p>
                {source === 'MUTATION' ? (
                  <TextWithElements
                    parts={texts.session.bookedHere(
                      <UserText>{scheduledBy ?? texts.session.anUnknownUser}</UserText>,
                    )}
                  />
                ) : (
                  texts.session.bookedAtProvider
                )}
                <InlineQuote text={reason} />
                {cancelledBy && (
                  <TextWithElements parts={texts.session.cancelledBy(<UserText>{cancelledBy}</UserText>)} />
                )}
                <InlineQuote text={cancelReason} />
              </p>
            </li>
          ),
        )}
      </ul>
      <MoreEntries says={texts.session.moreMeetings} list={meetings} onMore={onMore} />
    </Card>
  );
});

/** Words of a person, in quotation marks after a colon. Renders nothing if there are none. */
export function InlineQuote({ text }: { text: string | null }) {
  if (!text) return null;
  return <TextWithElements parts={texts.session.quoted(<UserText>{text}</UserText>)} />;
}

/** Words of a person, as a block. Renders nothing if there are none. */
export function QuoteBlock({ text }: { text: string | null }) {
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
    <Card title={texts.session.reviews}>
      {reviews.length === 0 && !agentRemarks && <p className={style.none}>{texts.session.noReviews}</p>}
      {agentRemarks && (
        <div className={style.list}>
          <p>{texts.session.providerRemarks}</p>
          <QuoteBlock text={agentRemarks} />
        </div>
      )}
      <ul className={style.list}>
        {reviews.map((review) => (
          <li key={review.id}>
            <b>
              {getLabel(REVIEW_STAGE_LABELS, review.stage)}:{' '}
              {getLabel(REVIEW_DECISION_LABELS, review.decision)}
            </b>
            <p>
              <UserText>{review.reviewer ?? texts.session.recordedAtProvider}</UserText>,{' '}
              <LocalTime at={review.recordedAt} />
              {review.callComplete !== null &&
                (review.callComplete ? texts.session.statedComplete : texts.session.statedIncomplete)}
            </p>
            {review.reasons.length > 0 && (
              <ul className={style.tags} aria-label={texts.session.reasons}>
                {review.reasons.map((reason) => (
                  <li key={reason}>{getLabel(REVIEW_REASON_LABELS, reason)}</li>
                ))}
              </ul>
            )}
            <QuoteBlock text={review.remarks} />
            {review.customerMessage && (
              <>
                <p>{texts.session.toTheCustomer}</p>
                <QuoteBlock text={review.customerMessage} />
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
export function DetailsCard({ page }: { page: SessionDetails }) {
  return (
    <Card title={texts.session.details}>
      <dl>
        <Fact name={texts.session.referenceId}>
          {page.referenceId && <UserText>{page.referenceId}</UserText>}
        </Fact>
        <Fact name={texts.session.atProvider}>
          {page.providerSubStatus !== page.statusInfo.subStatus && (
            <>
              {getStepLabel(page.providerSubStatus)}
              {!page.providerAgrees && !page.disputed && !page.replacedBy && (
                <small> {texts.session.notConfirmed}</small>
              )}
            </>
          )}
        </Fact>
        <Fact name={texts.session.started}>
          <LocalTime at={page.createdAt} />
        </Fact>
        <Fact name={texts.session.lastUpdate}>
          <LocalTime at={page.updatedAt} />
        </Fact>
        <Fact name={texts.session.replaces}>{page.replaces && <SessionLink session={page.replaces} />}</Fact>
        <Fact name={texts.session.isReplacedBy}>
          {page.replacedBy && <SessionLink session={page.replacedBy} />}
        </Fact>
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
