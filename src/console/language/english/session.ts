import type { ReactNode } from 'react';
import type { ClosureOutcome, DisputeResolutionChoice, TransitionSource } from '../../operations.ts';

/** Says how many entries of a list are shown; `total` is null if it is not known. */
const areShown = (noun: string) => (shown: string, total: string | null) =>
  `${shown} of ${total ?? `more than ${shown}`} ${noun} are shown.`;

/** Page of a session: its head, journey, timeline and cards. */
export const session = {
  notFound: 'Session not found',
  noAccess: 'This session does not exist, or you do not have access to it.',
  disputed:
    'Disputed: the decision of the provider contradicts the one recorded here. Do not onboard this customer until the dispute has been resolved.',
  replacedBy: (link: ReactNode) => ['Another session replaces this one: ', link],
  verificationId: 'verification ID',
  weHaveToAct: 'We have to act,',
  waitingOn: (party: ReactNode) => ['Waiting on ', party],
  since: (duration: ReactNode) => ['for ', duration],
  unknownUser: 'Unknown user',
  anUnknownUser: 'an unknown user',

  customer: 'Customer',
  name: 'Name',
  phone: 'Phone',
  email: 'Email',
  userId: 'User ID',
  link: 'Link',
  copiedLink: 'link',
  linkExpires: 'Link expires',

  moreMeetings: { areShown: areShown('meetings'), show: 'Show more meetings' },
  moreNotes: { areShown: areShown('notes'), show: 'Show more notes' },

  meetings: 'Meetings',
  noMeetings: 'No meetings booked.',
  bookedHere: (person: ReactNode) => ['Booked here by ', person],
  bookedAtProvider: 'Booked at the provider',
  cancelledBy: (person: ReactNode) => [', cancelled by ', person],
  quoted: (words: ReactNode) => [': “', words, '”'],

  reviews: 'Reviews',
  noReviews: 'No reviews yet.',
  providerRemarks: 'Remarks of the agent at the provider',
  recordedAtProvider: 'Recorded at the provider',
  statedComplete: ', stated that the call was complete',
  statedIncomplete: ', stated that the call was not complete',
  reasons: 'Reasons',
  toTheCustomer: 'To the customer:',

  details: 'Details',
  referenceId: 'Reference ID',
  atProvider: 'At the provider',
  notConfirmed: '(has not confirmed our status yet)',
  started: 'Started',
  lastUpdate: 'Last update',
  replaces: 'Replaces',
  isReplacedBy: 'Replaced by',

  escalated: (reason: string) => `Escalated: ${reason}.`,
  notes: 'Notes',
  noNotes: 'No notes yet.',
  erased: '(erased)',
  labels: 'Labels',
  noLabels: 'No labels yet.',
  tags: 'Tags',
  closed: 'Closed by staff',
  closureOutcomes: {
    REJECTED: 'Customer rejected',
    FAILED: 'Given up',
  } satisfies Record<ClosureOutcome, string>,
  earlierEscalations: 'Earlier escalations',
  resolvedBy: (person: ReactNode) => ['Resolved by ', person],
  resolvedDisputes: 'Resolved disputes',
  disputeResults: {
    KEEP_OURS: 'Our decision was kept',
    ACCEPT_PROVIDER: "The provider's decision was accepted",
  } satisfies Record<DisputeResolutionChoice, string>,

  timeline: 'Timeline',
  showEarlier: 'Show earlier entries',
  lateUpdate: 'Late update',
  statusStayed: 'The status did not change.',
  sources: {
    WEBHOOK: 'reported by the provider',
    POLL: 'found by checking with the provider',
    MUTATION: 'done here',
    CLOCK: 'recorded here because a time had passed',
  } satisfies Record<TransitionSource, string>,
  doneHereBy: (person: ReactNode) => ['done here by ', person],
  receivedLater: (duration: string) => `received ${duration} later`,

  journey: {
    title: 'Journey',
    showFewer: 'Show fewer steps',
    showAll: 'Show every step',
    map: (step: string) => `Map of the journey, current step: ${step}`,
    otherOutcomes: 'Other outcomes',
    visited: 'visited',
    ended: 'ended',
    current: 'current',
    usual: 'usually next',
    possible: 'possible',
    shownFrom: (entry: number) => `shown from entry ${entry}`,
    times: (step: string, count: number) => `${step} (${count} times)`,
    visitedSteps: (steps: string) => `Visited: ${steps || 'no earlier step'}.`,
    currentStep: (step: string, phase: string) => `Current step: ${step} (${phase}).`,
    isOver: 'The session has ended.',
    usualSteps: (steps: string) =>
      `Usually next: ${steps || 'unknown'}. The provider may also report another step.`,
  },
};
