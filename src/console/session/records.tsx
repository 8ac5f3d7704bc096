import type { ReactNode } from 'react';
import { ActionButtons } from '../acting/actions.tsx';
import { TextWithElements } from '../language/sentence.tsx';
import { texts } from '../language/texts.ts';
import type { Row } from '../live/rows.ts';
import type { SessionDetails } from '../live/session.ts';
import { CLOSURE_REASON_LABELS, ESCALATION_REASON_LABELS, getLabel } from '../look/labels.ts';
import { Notice } from '../look/notice.tsx';
import { LocalTime } from '../look/time.tsx';
import { UserText } from '../look/user-text.tsx';
import type { VkycSessionActionsFragment } from '../operations.ts';
import style from './cards.module.css';
import { Card, Fact, InlineQuote, MoreEntries, QuoteBlock } from './cards.tsx';

interface ActingProps {
  readonly page: SessionDetails;
  readonly onDone: (session: Row & VkycSessionActionsFragment) => void;
}

/** Entry of a card: what was recorded, by whom and when, with the words of that person. */
function RecordEntry({
  title,
  who,
  at,
  words,
  children,
}: {
  title?: string;
  who: string | null;
  at: string;
  words: string | null;
  children?: ReactNode;
}) {
  return (
    <li>
      {title && <b>{title}</b>}
      <p>
        <UserText>{who ?? texts.session.unknownUser}</UserText>, <LocalTime at={at} />
      </p>
      <QuoteBlock text={words} />
      {children}
    </li>
  );
}

/** Box with the open (unresolved) escalation. Renders nothing if the session has none. */
export function OpenEscalationNotice({ page, onDone }: ActingProps) {
  const open = page.escalations?.find(({ resolvedAt }) => !resolvedAt);
  if (!open) return null;
  return (
    <Notice tone="trouble">
      <p>
        <b>{texts.session.escalated(getLabel(ESCALATION_REASON_LABELS, open.reason))}</b>{' '}
        <UserText>{open.escalatedBy ?? texts.session.unknownUser}</UserText>,{' '}
        <LocalTime at={open.escalatedAt} />
        <InlineQuote text={open.note} />
      </p>
      <ActionButtons page={page} place="ESCALATION" onDone={onDone} />
    </Notice>
  );
}

/** Card with the notes of staff, newest first. Renders nothing for viewers who may not see notes. */
export function NotesCard({ page, onDone, onMore }: ActingProps & { readonly onMore: () => Promise<void> }) {
  if (!page.notes) return null;
  const { nodes } = page.notes;
  return (
    <Card title={texts.session.notes} buttons={<ActionButtons page={page} place="NOTES" onDone={onDone} />}>
      {nodes.length === 0 && <p className={style.none}>{texts.session.noNotes}</p>}
      <ul className={style.list}>
        {nodes.map(({ id, text, author, recordedAt }) => (
          <RecordEntry key={id} who={author} at={recordedAt} words={text ?? texts.session.erased} />
        ))}
      </ul>
      <MoreEntries says={texts.session.moreNotes} list={page.notes} onMore={onMore} />
    </Card>
  );
}

/** Card with the metadata and tags of the session. Renders nothing for viewers who may not see them. */
export function LabelsCard({ page, onDone }: ActingProps) {
  if (!page.metadata || !page.tags) return null;
  return (
    <Card title={texts.session.labels} buttons={<ActionButtons page={page} place="LABELS" onDone={onDone} />}>
      {page.tags.length + page.metadata.length === 0 && (
        <p className={style.none}>{texts.session.noLabels}</p>
      )}
      {page.tags.length > 0 && (
        <ul className={style.tags} aria-label={texts.session.tags}>
          {page.tags.map((tag) => (
            <li key={tag}>{tag}</li>
          ))}
        </ul>
      )}
      <dl>
        {page.metadata.map(({ key, value }) => (
          <Fact key={key} name={key}>
            {value}
          </Fact>
        ))}
      </dl>
    </Card>
  );
}

/** Card with the closure of the session: its outcome and reason. Renders nothing if staff did not close the session. */
export function ClosureCard({ closure }: Pick<SessionDetails, 'closure'>) {
  if (!closure) return null;
  const { outcome, reason, note, closedBy, closedAt } = closure;
  return (
    <Card title={texts.session.closed}>
      <ul className={style.list}>
        <RecordEntry
          title={`${getLabel(texts.session.closureOutcomes, outcome)}: ${getLabel(CLOSURE_REASON_LABELS, reason)}`}
          who={closedBy}
          at={closedAt}
          words={note}
        />
      </ul>
    </Card>
  );
}

/** Card with the resolved escalations, newest first. `OpenEscalationNotice` shows the open escalation. */
export function ResolvedEscalationsCard({ escalations }: Pick<SessionDetails, 'escalations'>) {
  const resolved = (escalations ?? []).filter(({ resolvedAt }) => resolvedAt).toReversed();
  if (resolved.length === 0) return null;
  return (
    <Card title={texts.session.earlierEscalations}>
      <ul className={style.list}>
        {resolved.map(
          ({ id, reason, note, escalatedBy, escalatedAt, resolution, resolvedBy, resolvedAt }) => (
            <RecordEntry
              key={id}
              title={getLabel(ESCALATION_REASON_LABELS, reason)}
              who={escalatedBy}
              at={escalatedAt}
              words={note}
            >
              <p>
                <TextWithElements
                  parts={texts.session.resolvedBy(
                    <UserText>{resolvedBy ?? texts.session.anUnknownUser}</UserText>,
                  )}
                />
                {resolvedAt && (
                  <>
                    , <LocalTime at={resolvedAt} />
                  </>
                )}
              </p>
              <QuoteBlock text={resolution} />
            </RecordEntry>
          ),
        )}
      </ul>
    </Card>
  );
}

/** Card with the decisions of disputes, newest first. Renders nothing if there are none. */
export function DisputeResolutionsCard({
  resolutions,
}: {
  resolutions: SessionDetails['disputeResolutions'];
}) {
  if (!resolutions || resolutions.length === 0) return null;
  return (
    <Card title={texts.session.resolvedDisputes}>
      <ul className={style.list}>
        {resolutions.toReversed().map(({ id, resolution, note, resolvedBy, resolvedAt }) => (
          <RecordEntry
            key={id}
            title={getLabel(texts.session.disputeResults, resolution)}
            who={resolvedBy}
            at={resolvedAt}
            words={note}
          />
        ))}
      </ul>
    </Card>
  );
}
