import { type ComponentType, useState } from 'react';
import { DialogTrigger } from 'react-aria-components/Dialog';
import { Popover } from 'react-aria-components/Popover';
import type { Row } from '../live/rows.ts';
import type { SessionDetails } from '../live/session.ts';
import { Button } from '../look/button.tsx';
import { ACTION_LABELS } from '../look/labels.ts';
import type { SessionAction, VkycSessionActionsFragment } from '../operations.ts';
import type { ActionDialogProps } from './action-dialog.ts';
import style from './actions.module.css';
import { RecordingDialog, RefreshDialog, SdkTokenDialog } from './ask-provider.tsx';
import { CancelMeetingDialog } from './cancel-meeting.tsx';
import { AgentReviewDialog, AuditorReviewDialog } from './record-review.tsx';
import { ScheduleMeetingDialog } from './schedule-meeting.tsx';

/**
 * Dialog and button style of each action. The reviews come first, because a session that allows a review is
 * waiting for it.
 */
const DIALOGS = {
  RECORD_AGENT_REVIEW: { Dialog: AgentReviewDialog, look: 'primary' },
  RECORD_AUDITOR_REVIEW: { Dialog: AuditorReviewDialog, look: 'primary' },
  SCHEDULE_MEETING: { Dialog: ScheduleMeetingDialog, look: 'plain' },
  CANCEL_MEETING: { Dialog: CancelMeetingDialog, look: 'plain' },
  REFRESH: { Dialog: RefreshDialog, look: 'plain' },
  REQUEST_RECORDING: { Dialog: RecordingDialog, look: 'plain' },
  CREATE_SDK_TOKEN: { Dialog: SdkTokenDialog, look: 'plain' },
} as const satisfies Record<
  Exclude<
    SessionAction,
    'CLOSE' | 'REPLACE' | 'RESOLVE_DISPUTE' | 'ADD_NOTE' | 'ESCALATE' | 'RESOLVE_ESCALATION'
  >,
  { Dialog: ComponentType<ActionDialogProps>; look: 'primary' | 'plain' }
>;
const ORDER = Object.keys(DIALOGS) as (keyof typeof DIALOGS)[];

interface Props {
  readonly page: SessionDetails;
  readonly onDone: (session: Row & VkycSessionActionsFragment) => void;
}

/**
 * Buttons for the actions that the viewer may perform now, and a list of the other actions with the reason
 * why each is not possible.
 */
export function Actions({ page, onDone }: Props) {
  const [open, setOpen] = useState<{ action: keyof typeof DIALOGS; session: SessionDetails } | null>(null);
  const may = ORDER.filter((action) => page.availableActions.includes(action));
  const OpenDialog = open && DIALOGS[open.action].Dialog;
  return (
    <section aria-label="Actions" className={style.actions}>
      {may.map((action) => (
        <Button key={action} look={DIALOGS[action].look} onPress={() => setOpen({ action, session: page })}>
          {action === 'SCHEDULE_MEETING' && page.meeting?.status === 'SCHEDULED'
            ? 'Reschedule meeting'
            : ACTION_LABELS[action]}
        </Button>
      ))}
      {page.blockedActions.length > 0 && (
        <DialogTrigger>
          <Button look="quiet">Show unavailable actions</Button>
          <Popover className={style.popover!} placement="bottom start" aria-label="Unavailable actions">
            <dl>
              {page.blockedActions.map(({ action, reason }) => (
                <div key={action}>
                  <dt>{ACTION_LABELS[action]}</dt>
                  <dd>{reason}</dd>
                </div>
              ))}
            </dl>
          </Popover>
        </DialogTrigger>
      )}
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
    </section>
  );
}
