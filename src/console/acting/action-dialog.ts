import type { Row } from '../live/rows.ts';
import type { SessionDetails } from '../live/session.ts';
import type { VkycSessionActionsFragment } from '../operations.ts';

/** Props of every dialog that performs an action on a session. */
export interface ActionDialogProps {
  /**
   * The session at the time when the dialog was opened. The version of this session is sent as
   * `expectedVersion` (optimistic locking).
   */
  readonly session: SessionDetails;
  /**
   * Called with the result when the mutation has succeeded. `stay` keeps the dialog open, so that it can show
   * the result.
   */
  readonly onDone: (session: Row & VkycSessionActionsFragment, options?: { stay: boolean }) => void;
  /**
   * Called when the user wants to continue after a version conflict. The dialog then gets the current
   * session.
   */
  readonly onContinue: () => void;
  readonly onClose: () => void;
}
