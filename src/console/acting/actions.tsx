import { type ComponentType, useState } from 'react';
import { DialogTrigger } from 'react-aria-components/Dialog';
import { Popover } from 'react-aria-components/Popover';
import { TranslatedGatewayText } from '../language/gateway-text.tsx';
import { texts } from '../language/texts.ts';
import type { Row } from '../live/rows.ts';
import type { SessionDetails } from '../live/session.ts';
import { Button } from '../look/button.tsx';
import { ACTION_LABELS, getLabel } from '../look/labels.ts';
import type { SessionAction, VkycSessionActionsFragment } from '../operations.ts';
import { AssignDialog, UnassignDialog } from '../work/assign-session.tsx';
import type { ActionDialogProps } from './action-dialog.ts';
import style from './actions.module.css';
import { AddNoteDialog } from './add-note.tsx';
import { RecordingLinkDialog, RefreshDialog, SdkTokenDialog } from './ask-provider.tsx';
import { CancelMeetingDialog } from './cancel-meeting.tsx';
import { CloseSessionDialog } from './close-session.tsx';
import { EscalateDialog, ResolveEscalationDialog } from './escalation.tsx';
import { EditLabelsDialog } from './label-session.tsx';
import { NotifyCustomerDialog } from './notify-customer.tsx';
import { AgentReviewDialog, AuditorReviewDialog } from './record-review.tsx';
import { ReplaceSessionDialog } from './replace-session.tsx';
import { ResolveDisputeDialog } from './resolve-dispute.tsx';
import { ScheduleMeetingDialog } from './schedule-meeting.tsx';

interface ActionEntry {
  readonly Dialog: ComponentType<ActionDialogProps>;
  readonly look: 'primary' | 'plain' | 'danger';
  /** Part of the page that has the button: next to what the action is about. */
  readonly place: ActionPlace;
}
export type ActionPlace = 'HEAD' | 'DISPUTE' | 'ESCALATION' | 'NOTES' | 'LABELS';

/**
 * Dialog and button of each action. The reviews come first, because a session that allows a review is waiting for it;
 * the actions that end the session come last.
 */
const ACTIONS: Readonly<Record<SessionAction, ActionEntry>> = {
  RECORD_AGENT_REVIEW: { Dialog: AgentReviewDialog, look: 'primary', place: 'HEAD' },
  RECORD_AUDITOR_REVIEW: { Dialog: AuditorReviewDialog, look: 'primary', place: 'HEAD' },
  SCHEDULE_MEETING: { Dialog: ScheduleMeetingDialog, look: 'plain', place: 'HEAD' },
  CANCEL_MEETING: { Dialog: CancelMeetingDialog, look: 'plain', place: 'HEAD' },
  REFRESH: { Dialog: RefreshDialog, look: 'plain', place: 'HEAD' },
  REQUEST_RECORDING: { Dialog: RecordingLinkDialog, look: 'plain', place: 'HEAD' },
  CREATE_SDK_TOKEN: { Dialog: SdkTokenDialog, look: 'plain', place: 'HEAD' },
  NOTIFY: { Dialog: NotifyCustomerDialog, look: 'plain', place: 'HEAD' },
  ASSIGN: { Dialog: AssignDialog, look: 'plain', place: 'HEAD' },
  UNASSIGN: { Dialog: UnassignDialog, look: 'plain', place: 'HEAD' },
  ESCALATE: { Dialog: EscalateDialog, look: 'plain', place: 'HEAD' },
  REPLACE: { Dialog: ReplaceSessionDialog, look: 'plain', place: 'HEAD' },
  CLOSE: { Dialog: CloseSessionDialog, look: 'danger', place: 'HEAD' },
  RESOLVE_DISPUTE: { Dialog: ResolveDisputeDialog, look: 'danger', place: 'DISPUTE' },
  RESOLVE_ESCALATION: { Dialog: ResolveEscalationDialog, look: 'plain', place: 'ESCALATION' },
  ADD_NOTE: { Dialog: AddNoteDialog, look: 'plain', place: 'NOTES' },
  LABEL: { Dialog: EditLabelsDialog, look: 'plain', place: 'LABELS' },
};
const ORDER = Object.keys(ACTIONS) as SessionAction[];

interface Props {
  readonly page: SessionDetails;
  readonly place: ActionPlace;
  readonly onDone: (session: Row & VkycSessionActionsFragment) => void;
}

/** Buttons for the actions of one part of the page that the viewer may perform now. */
export function ActionButtons({ page, place, onDone }: Props) {
  const [open, setOpen] = useState<{ action: SessionAction; session: SessionDetails } | null>(null);
  const may = ORDER.filter(
    (action) => ACTIONS[action].place === place && page.availableActions.includes(action),
  );
  const OpenDialog = open && ACTIONS[open.action].Dialog;
  return (
    <>
      {may.map((action) => (
        <Button key={action} look={ACTIONS[action].look} onPress={() => setOpen({ action, session: page })}>
          {action === 'SCHEDULE_MEETING' && page.meeting?.status === 'SCHEDULED'
            ? texts.acting.schedule.move
            : ACTION_LABELS[action]}
        </Button>
      ))}
      {open && OpenDialog && (
        <OpenDialog
          session={open.session}
          onContinue={() => setOpen({ ...open, session: page })}
          onClose={() => setOpen(null)}
          onDone={(session, options) => {
            onDone(session);
            if (!options?.stay) setOpen(null);
          }}
        />
      )}
    </>
  );
}

/** Actions of the head of the page, and a list of all actions that are not possible with the reason of each. */
export function PageHeadActions({ page, onDone }: Omit<Props, 'place'>) {
  return (
    <section aria-label={texts.acting.actions} className={style.actions}>
      <ActionButtons page={page} place="HEAD" onDone={onDone} />
      {page.blockedActions.length > 0 && (
        <DialogTrigger>
          <Button look="quiet">{texts.acting.showUnavailable}</Button>
          <Popover className={style.popover!} placement="bottom start" aria-label={texts.acting.unavailable}>
            <dl>
              {page.blockedActions.map(({ action, reason }) => (
                <div key={action}>
                  <dt>{getLabel(ACTION_LABELS, action)}</dt>
                  <dd>
                    <TranslatedGatewayText>{reason}</TranslatedGatewayText>
                  </dd>
                </div>
              ))}
            </dl>
          </Popover>
        </DialogTrigger>
      )}
    </section>
  );
}
