import type { Row } from '../live/rows.ts';
import type { SessionDetails } from '../live/session.ts';
import type { VkycSessionActionsFragment } from '../operations.ts';

/** Props of every dialog that acts on a session. */
export interface ActionDialogProps {
  /**
   * The session as it was when the dialog was opened. Its version is sent as `expectedVersion` (optimistic
   * locking).
   */
  readonly session: SessionDetails;
  /**
   * Called when the mutation has succeeded, with its result. `stay` keeps the dialog open to show something.
   */
  readonly onDone: (session: Row & VkycSessionActionsFragment, options?: { stay: boolean }) => void;
  /** Called when the user wants to go on after a version conflict: `session` becomes the current one. */
  readonly onContinue: () => void;
  readonly onClose: () => void;
}
