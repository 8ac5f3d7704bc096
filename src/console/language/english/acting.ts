import type { ReactNode } from 'react';
import type { AgentDecision, AuditorDecision, ClosureOutcome } from '../../operations.ts';

/** Texts of a decision: the option, what the decision means, and the button that records it. */
interface Decision {
  readonly label: string;
  readonly meaning: string;
  readonly confirm: string;
}

/** Buttons and dialogs of the actions on a session. */
export const acting = {
  actions: 'Actions',
  showUnavailable: 'Show unavailable actions',
  unavailable: 'Unavailable actions',
  cancel: 'Cancel',
  tryAgain: 'Try again',
  chooseOne: 'Choose…',
  optional: (label: string) => `${label} (optional)`,
  unknownUser: 'an unknown user',

  reason: 'Reason',
  chooseReason: 'Choose a reason.',
  note: 'Note',
  writeReason: 'Write a note that says the reason.',
  staffOnly: 'Visible to staff only, and kept as evidence.',
  bookedFor: (time: ReactNode) => ['Booked for ', time],

  wasAndIs: (was: ReactNode, is: ReactNode) => ['The session was at ', was, ' and is now at ', is],
  goOn: 'Continue with the current status',
  problem: (field: string, message: string) => `${field} ${message}`,
  tryAgainIn: (seconds: number) => `Try again in ${seconds} s.`,

  notify: {
    title: 'Notify the customer',
    kind: 'What to tell the customer',
    missing: 'Choose what to tell the customer.',
    confirm: 'Notify customer',
  },
  addNote: { title: 'Add a note', missing: 'Write the note.', confirm: 'Add note' },

  refresh: {
    title: 'Refresh from provider',
    asking: 'Asking the provider for the current status…',
    changed: 'The provider reported a change.',
    unchanged: 'Nothing has changed.',
  },
  recording: {
    title: 'Watch the recording',
    open: 'Open the recording',
    worksUntil: (time: ReactNode) => [' (the link works until ', time, ')'],
    about: 'The link works for a short time only. Your request will be logged.',
    confirm: 'Get the link',
  },
  sdkToken: {
    title: 'Create an SDK token',
    token: 'token',
    about:
      "The token opens the call in the customer's app without a one-time password. Share it with no one else.",
    confirm: 'Create token',
  },

  cancelMeeting: {
    title: 'Cancel the meeting',
    keep: 'Keep the meeting',
    confirm: 'Cancel the meeting',
  },
  schedule: {
    title: 'Schedule a meeting',
    titleBooked: 'Reschedule the meeting',
    move: 'Reschedule meeting',
    timeInIndia: 'Date and time (IST)',
    timeHere: 'Date and time (your time zone)',
    thatIs: (time: string) => `That is ${time}`,
    whyAnother:
      'The last call still waits for its review: say why another one is needed. Visible to staff only.',
    linkExpires: (time: ReactNode) => ["The customer's link expires ", time],
    confirm: 'Schedule',
    confirmBooked: 'Reschedule',
  },

  close: {
    title: 'Close the session',
    notTold: 'The provider is not told that you close the session.',
    cancelsMeeting: 'Its booked meeting is cancelled.',
    outcome: 'Outcome',
    chooseOutcome: 'Choose an outcome.',
    meanings: {
      REJECTED: 'The bank turns the customer down.',
      FAILED: 'The verification ends without a decision about the customer.',
    } satisfies Record<ClosureOutcome, string>,
    confirm: {
      REJECTED: 'Reject the customer for good',
      FAILED: 'Mark the session as failed for good',
    } satisfies Record<ClosureOutcome, string>,
  },

  escalate: { title: 'Escalate the session', statusStays: 'The status does not change.' },
  resolveEscalation: {
    title: 'Resolve the escalation',
    escalatedBy: (person: ReactNode, reason: string) => ['Escalated by ', person, `: ${reason}`],
    result: 'Result of the investigation',
    missing: 'Write what came of the escalation.',
  },

  labels: {
    title: 'Edit labels',
    noPersonalData: 'No personal data: labels are stored in plain text, and stay when a person is erased.',
    tags: 'Tags',
    tagsHint: 'One a line.',
    metadata: 'Metadata',
    metadataHint: 'One key=value a line. Remove a line to delete its key.',
    missing: 'Change a label.',
    confirm: 'Save labels',
  },

  review: {
    agentTitle: "Record the agent's review",
    auditorTitle: "Record the auditor's review",
    agentDecisions: {
      APPROVED: {
        label: 'Approve',
        meaning: 'An auditor decides next.',
        confirm: 'Approve, and ask an auditor',
      },
      REJECTED: {
        label: 'Reject',
        meaning: 'The customer is turned down; no auditor is asked.',
        confirm: 'Reject the customer',
      },
      UNABLE_TO_VALIDATE: {
        label: 'Unable to validate',
        meaning: 'Another call is needed.',
        confirm: 'Record that another call is needed',
      },
    } as Readonly<Record<AgentDecision, Decision>>,
    auditorDecisions: {
      APPROVED: {
        label: 'Approve',
        meaning: 'The customer is verified, and the session is over.',
        confirm: 'Approve the customer for good',
      },
      REJECTED: {
        label: 'Reject',
        meaning: 'The customer is turned down, and the session is over.',
        confirm: 'Reject the customer for good',
      },
    } as Readonly<Record<AuditorDecision, Decision>>,
    yes: 'Yes',
    no: 'No',
    chooseDecision: 'Choose a decision.',
    sayIfComplete: 'Say whether the call was complete.',
    incomplete: 'An incomplete call cannot be approved.',
    chooseReasons: 'Choose at least one reason.',
    writeRemarks: 'Write remarks: they say what the other reason is.',
    providerRemarks: 'Remarks of the agent at the provider',
    decision: 'Decision',
    wasComplete: 'Was the call complete?',
    noticed: 'Noticed, but no obstacle (optional)',
    reasons: 'Reasons',
    remarks: 'Remarks',
    customerMessage: 'Message to the customer',
    customerMessageHint: 'The customer reads it together with a text for each reason.',
    confirm: 'Submit review',
  },

  replace: {
    title: (verificationId: string) => `Replace ${verificationId}`,
    keepsOutcome: 'The new session is for the same customer. This session keeps its outcome.',
    ends: 'The new session is for the same customer. This session ends, and a booked meeting is cancelled.',
    customer: 'Customer',
    enterId: 'Enter a verification ID.',
    confirm: 'Start the new session',
    confirmEnd: 'End this session and start a new one',
  },

  dispute: {
    title: 'Resolve the dispute',
    ours: 'Our decision',
    theirs: "The provider's decision",
    withdrawn: 'Withdrawn: the provider has reported another status.',
    lastReported: 'Last reported by the provider',
    whose: 'Whose decision stands?',
    why: 'Why',
    decidedSince: 'The provider has decided otherwise since you opened this dialog. Nothing was changed.',
    showCurrent: 'Show the current decisions',
    choose: 'Choose whose decision stands.',
    keepOurs: 'The provider has withdrawn its decision: keep ours.',
    writeWhy: 'Write why.',
    confirmOurs: (step: string) => `Keep our decision: ${step}`,
    confirmTheirs: (step: string) => `Replace our decision by the provider's: ${step}`,
    confirmWithdrawn: "Replace our decision by the provider's",
  },

  start: {
    title: 'Start a session',
    phone: 'Phone',
    name: 'Name',
    email: 'Email',
    confirm: 'Start',
    started: 'Session started',
    replayed: 'This session had already been started. No new session was created.',
    shareLink: 'Share this link with the customer.',
    link: 'link',
    goToSession: 'Go to session',
    verificationId: 'Verification ID',
    idHint: '1 to 50 characters: A-Z a-z 0-9 . _ -',
    willBe: (verificationId: string) => `Will be ${verificationId}`,
    scenario: 'Sandbox scenario',
    defaultScenario: 'Default',
  },
};
