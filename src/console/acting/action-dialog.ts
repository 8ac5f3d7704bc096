import type { Row } from '../live/rows.ts';
import type { SessionDetails } from '../live/session.ts';
import type { VkycSessionActionsFragment } from '../operations.ts';

/** Props of every dialog that acts on a session. */
export interface ActionDialogProps {
  /** The session when the dialog was opened. Its version goes out as `expectedVersion` (optimistic locking). */
  readonly session: SessionDetails;
  /** Called on success. `stay` keeps the dialog open to show its result. */
  readonly onDone: (session: Row & VkycSessionActionsFragment, options?: { stay: boolean }) => void;
  /** Replaces `session` with the current one, after a version conflict. */
  readonly onContinue: () => void;
  readonly onClose: () => void;
}
