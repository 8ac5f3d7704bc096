import type { ClosureOutcome, Queue } from '../../operations.ts';

/** Texts of the next button, of assignments, and of actions on several sessions at once. */
export const work = {
  next: 'Next',
  nextHint: 'Takes the session of your queue that has waited longest.',
  queue: 'Queue',
  queues: { AGENT: 'Reviews', AUDITOR: 'Audits' } satisfies Record<Queue, string>,
  queueEmpty: {
    AGENT: 'The review queue has no session for you. Try again later.',
    AUDITOR: 'The audit queue has no session for you. Try again later.',
  } satisfies Record<Queue, string>,
  stillYours:
    'You have not finished this session: review it, or end its assignment, and then take the next one.',
  dismiss: 'Dismiss',

  myWork: 'My work',
  assignedToMe: 'Assigned to me',
  you: 'You',
  workedOnBy: 'Worked on by:',
  until: (time: string) => `until ${time}`,
  assignments: 'Who worked on it',
  fromQueue: 'From the queue',
  assignedBy: 'Assigned by:',
  takenOverFrom: 'Taken over from:',
  endedBy: 'Ended by:',

  assignTitle: 'Assign the session',
  assignHint: 'The person who has the session now loses it.',
  person: 'User ID of the agent or auditor',
  personHint: 'The ID with which the person signs in. The gateway does not know whether it exists.',
  myself: 'Assign to me',
  ends: 'The assignment ends',
  ending: {
    DONE: 'when the work is done',
    HOUR: 'in 1 hour, or later if the person still works on it',
    SHIFT: 'in 8 hours, or later if the person still works on it',
  },
  noteForNext: 'Note for the person who goes on',
  choosePerson: 'Enter a user ID.',
  assign: 'Assign the session',
  unassignTitle: 'End the assignment',
  unassignHint: 'Another person may then take the session.',
  unassign: 'End the assignment',

  selectSession: (verificationId: string) => `Select ${verificationId}`,
  selectLoaded: (count: number) => `Select all loaded (${count.toLocaleString('en-IN')})`,
  selection: 'Selected sessions',
  selected: (count: number) => `${count.toLocaleString('en-IN')} selected`,
  clearSelection: 'Clear selection',
  assignSelected: 'Assign…',
  closeSelected: 'Close…',
  assignMany: (count: number) => (count === 1 ? 'Assign 1 session' : `Assign ${count} sessions`),
  closeMany: (count: number) => (count === 1 ? 'Close 1 session' : `Close ${count} sessions`),
  confirmClose: {
    REJECTED: (count: number) =>
      count === 1 ? 'Reject 1 customer for good' : `Reject ${count} customers for good`,
    FAILED: (count: number) =>
      count === 1 ? 'Mark 1 session as failed for good' : `Mark ${count} sessions as failed for good`,
  } satisfies Record<ClosureOutcome, (count: number) => string>,
  notTold: 'The provider is not told that you close the sessions. Booked meetings are cancelled.',
  progress: (done: number, total: number) => `${done} of ${total}`,
  result: (succeeded: number, total: number) => `Done: ${succeeded} of ${total}.`,
  stopped: (left: number) => `Stopped: ${left} not tried.`,
  stop: 'Stop',
  refused: 'Not done',
  changed: 'Has changed since you selected it. Now:',
  retry: (count: number) => `Try ${count} again`,
  close: 'Close',
};
