import {
  infoOf,
  type KnownSubStatus,
  type Pair,
  recognize,
  STATUS_CATALOG,
  type Status,
  type StatusInfo,
  type SubStatus,
} from './status.ts';

/** Where a transition came from: the provider called us, we asked the provider, or somebody acted here. */
export const TRANSITION_SOURCES = {
  WEBHOOK: 'The provider reported it.',
  POLL: 'The gateway asked the provider.',
  MUTATION: 'Somebody acted through this API.',
} as const;
export type TransitionSource = keyof typeof TRANSITION_SOURCES;

/** What became of a piece of news, and why it did not move the session; null where it did. */
export const VERDICTS = {
  MOVED: null,
  LATE: 'The provider had reported something newer before.',
  REVIEWED: 'It is news of a call, and the review of that call stands.',
  ENDED: 'The session was over.',
  DISPUTED: 'It contradicts what the session holds: somebody has to look.',
  DISPUTED_LATE:
    'It contradicts what the session holds, though the provider had reported something newer before.',
} as const;
export type Verdict = keyof typeof VERDICTS;

/** A session as the rules see it: the fold of its log, and what the provider last said. */
export interface SessionState extends Pair {
  /** Sequence of the newest transition that moved the session. */
  readonly version: number;
  /** Sequence of the newest transition. */
  readonly lastSequence: number;
  readonly disputed: boolean;
  /** True where the pair was decided through this API, not reported by the provider. */
  readonly decidedHere: boolean;
  readonly provider: ProviderView;
}

/** The provider's last known words and time, kept apart from what was decided here. */
export interface ProviderView {
  readonly rawStatus: string;
  readonly rawSubStatus: string;
  /** By the provider's clock, of the newest webhook; null until one was received. */
  readonly eventTime: Date | null;
  /** By our clock, when these words were found by a poll, or by a webhook whose time is no use; null if a webhook dated them. */
  readonly foundAt: Date | null;
  /** Webhooks of this session recorded so far, so that a poll knows whether one overtook it. */
  readonly webhooks: number;
  /** An answer that waits for a second one to confirm it. */
  readonly doubt: Doubt | null;
}

/**
 * An answer that repeated an older pair of the session's log. Either the session really went back, or the provider
 * answered from a replica that lags behind its own webhooks: a second answer, asked for later, tells.
 */
export interface Doubt extends ProviderWords {
  /** When it was recorded, by our clock. */
  readonly since: Date;
  /** `ProviderView.webhooks` at that time: a webhook since makes it void. */
  readonly webhooks: number;
}

interface ProviderWords {
  readonly rawStatus: string;
  readonly rawSubStatus: string;
}

/** An earlier sighting of the same words: when by the provider's clock, or null where only a poll found them. */
export type Sighting = Date | null;

/** An update of the provider. `seen` are the earlier sightings of the same words in this session. */
export type ProviderNews = ProviderWords & { readonly seen: readonly Sighting[] } & (
    | {
        readonly kind: 'WEBHOOK';
        readonly eventTime: Date;
        /** By our clock. */
        readonly receivedAt: Date;
      }
    | {
        readonly kind: 'ANSWER';
        readonly webhooksWhenAsked: number;
        /** By our clock. */
        readonly askedAt: Date;
      }
  );

/**
 * How far the provider's clock may be from ours. Nothing is ordered by it: it only tells whether a webhook may be
 * older than what a poll found, so that asking again is worth a call.
 */
const CLOCK_DOUBT_MS = 5_000;

/**
 * How far ahead of our clock the time of a webhook may be. Clocks differ by seconds; a time that is minutes ahead is a
 * mistake, and would make every true webhook until then look late.
 */
export const MAX_CLOCK_LEAD_MS = 5 * 60_000;

/** Whether a time of the provider is so far ahead of our clock that nothing may be ordered by it. */
export const isTooFarAhead = (time: Date, now: Date): boolean =>
  time.getTime() > now.getTime() + MAX_CLOCK_LEAD_MS;

/** How long after a doubted answer the provider is asked again: longer than its replicas usually lag. */
export const SECOND_LOOK_AFTER_MS = 5_000;

/** What to do about a piece of news. */
export type Judgement =
  | { readonly kind: 'NOTHING'; readonly settle: boolean }
  /** The answer repeats an older pair: it is applied only if an answer that is asked for later says the same. */
  | { readonly kind: 'DOUBTED'; readonly doubt: Doubt }
  /** The webhook of something that a poll had found: no transition, only its time. */
  | { readonly kind: 'CONFIRMS'; readonly settle: boolean }
  | { readonly kind: 'TRANSITION'; readonly pair: Pair; readonly verdict: Verdict; readonly settle: boolean };

/**
 * Whether an update of the provider is a transition, and whether it moves the session. Updates are never refused.
 * `settle` asks for a GET of the provider's state: the order of what was received cannot be told from its times.
 */
export function judge(session: SessionState | null, news: ProviderNews, now: Date): Judgement {
  const pair = recognize(news.rawStatus, news.rawSubStatus);
  if (!session) return { kind: 'TRANSITION', pair, verdict: 'MOVED', settle: !hasOrder(news) };
  return news.kind === 'WEBHOOK'
    ? judgeWebhook(session, pair, news, now)
    : judgeAnswer(session, pair, news, now);
}

/** Whether the time of a webhook may be used for ordering; an answer has none and needs none. */
const hasOrder = (news: ProviderNews): boolean =>
  news.kind === 'ANSWER' || !isTooFarAhead(news.eventTime, news.receivedAt);

function judgeWebhook(
  session: SessionState,
  pair: Pair,
  news: Extract<ProviderNews, { kind: 'WEBHOOK' }>,
  now: Date,
): Judgement {
  const time = news.eventTime.getTime();
  if (news.seen.some((sighting) => sighting?.getTime() === time)) return { kind: 'NOTHING', settle: false };

  const isCurrent =
    session.provider.rawStatus === news.rawStatus && session.provider.rawSubStatus === news.rawSubStatus;
  // A poll's finding from before the current one may be this event or an earlier one: only asking can tell.
  if (news.seen.includes(null)) return { kind: 'CONFIRMS', settle: !isCurrent || !hasOrder(news) };

  const { eventTime: known } = session.provider;
  // A session may hold such a time from a release that believed it.
  const isKnownFalse = known !== null && isTooFarAhead(known, now);
  if (isKnownFalse || !hasOrder(news))
    return { kind: 'TRANSITION', pair, verdict: verdictOn(session, pair), settle: true };

  const newest = known?.getTime() ?? Number.NEGATIVE_INFINITY;
  if (time < newest)
    return { kind: 'TRANSITION', pair, verdict: lateVerdictOn(session, pair), settle: false };
  const { foundAt } = session.provider;
  const mayBeOlder = foundAt !== null && time <= foundAt.getTime() + CLOCK_DOUBT_MS;
  return {
    kind: 'TRANSITION',
    pair,
    verdict: verdictOn(session, pair),
    settle: time === newest || mayBeOlder,
  };
}

/**
 * An answer has no time: it is news only if no webhook overtook it and it differs from what is known. If it repeats an
 * older pair of the log, a second answer has to confirm it.
 */
function judgeAnswer(
  session: SessionState,
  pair: Pair,
  news: Extract<ProviderNews, { kind: 'ANSWER' }>,
  now: Date,
): Judgement {
  const { provider } = session;
  const overtaken = provider.webhooks !== news.webhooksWhenAsked;
  const known = provider.rawStatus === news.rawStatus && provider.rawSubStatus === news.rawSubStatus;
  // What it says may be newer than the webhook that overtook it: only asking again can tell.
  if (overtaken || known) return { kind: 'NOTHING', settle: !known };
  if (news.seen.length > 0) {
    const { rawStatus, rawSubStatus } = news;
    const first = doubtOf(session, news) ?? {
      rawStatus,
      rawSubStatus,
      since: now,
      webhooks: provider.webhooks,
    };
    if (news.askedAt.getTime() < first.since.getTime() + SECOND_LOOK_AFTER_MS)
      return { kind: 'DOUBTED', doubt: first };
  }
  return { kind: 'TRANSITION', pair, verdict: verdictOn(session, pair), settle: false };
}

/** The doubt about an earlier answer with the same words, if no webhook was recorded since. */
function doubtOf({ provider }: SessionState, words: ProviderWords): Doubt | null {
  const { doubt, webhooks } = provider;
  const isSame =
    doubt !== null &&
    doubt.webhooks === webhooks &&
    doubt.rawStatus === words.rawStatus &&
    doubt.rawSubStatus === words.rawSubStatus;
  return isSame ? doubt : null;
}

/** A decision of the provider against what it contradicts, wherever the session holds that for good. */
const CONTRADICTIONS: Partial<Record<SubStatus, readonly SubStatus[]>> = {
  AGENT_APPROVED: ['AGENT_REJECTED', 'AGENT_UNABLE_TO_VALIDATE'],
  AGENT_REJECTED: ['AGENT_APPROVED', 'AGENT_UNABLE_TO_VALIDATE', 'AUDITOR_APPROVED'],
  AGENT_UNABLE_TO_VALIDATE: ['AGENT_APPROVED', 'AGENT_REJECTED', 'AUDITOR_APPROVED'],
  AUDITOR_APPROVED: [
    'AGENT_REJECTED',
    'AGENT_UNABLE_TO_VALIDATE',
    'AUDITOR_REJECTED',
    'VKYC_EXPIRED',
    'INSUFFICIENT_BALANCE',
  ],
  AUDITOR_REJECTED: ['AUDITOR_APPROVED'],
};

/** An agent's review that only an auditor, or the end of the session, may follow. */
const STANDING_REVIEWS: readonly SubStatus[] = ['AGENT_APPROVED', 'AGENT_REJECTED'];

/** After a standing review the call and its link no longer matter. */
const MOVES_A_REVIEWED_SESSION: readonly string[] = [
  'AGENT_REVIEWED',
  'AUDITOR_REVIEWED',
  'FAILED',
  'REJECTED',
];

function verdictOn(session: SessionState, incoming: Pair): Verdict {
  const { terminal } = infoOf(session);
  const contradicts = CONTRADICTIONS[incoming.subStatus]?.includes(session.subStatus) ?? false;
  if (contradicts && (terminal || session.decidedHere)) return 'DISPUTED';
  if (terminal) return 'ENDED';
  const reviewStands = STANDING_REVIEWS.includes(session.subStatus);
  if (reviewStands && !MOVES_A_REVIEWED_SESSION.includes(incoming.status)) return 'REVIEWED';
  return 'MOVED';
}

/** Of two final decisions that contradict each other neither may win by coming first, or last. */
function lateVerdictOn(session: SessionState, incoming: Pair): Verdict {
  const isFinal = incoming.status === 'AUDITOR_REVIEWED' && session.status === 'AUDITOR_REVIEWED';
  return isFinal && verdictOn(session, incoming) === 'DISPUTED' ? 'DISPUTED_LATE' : 'LATE';
}

/** News that is older than what the provider said last: it is history, and not its newest word. */
export const isLate = (verdict: Verdict): boolean => verdict === 'LATE' || verdict === 'DISPUTED_LATE';

/** What somebody may do with a session. */
export const SESSION_ACTIONS = {
  SCHEDULE_MEETING: 'Book a meeting, or move the one that is booked.',
  CANCEL_MEETING: 'Cancel the meeting that is booked and has not begun.',
  RECORD_AGENT_REVIEW: "Record the agent's decision, once a call has ended.",
  RECORD_AUDITOR_REVIEW: "Record the auditor's decision on what an agent approved.",
  REFRESH: 'Ask the provider for the present state.',
  REQUEST_RECORDING: "Get a link to the call's recording.",
  CREATE_SDK_TOKEN: "Get a token for the provider's SDK in the customer's app.",
} as const;
export type SessionAction = keyof typeof SESSION_ACTIONS;

const allBut = (...excluded: KnownSubStatus[]): readonly SubStatus[] => {
  const left = STATUS_CATALOG.filter(
    (info) => !info.terminal && !excluded.some((sub) => sub === info.subStatus),
  );
  return [...new Set(left.map((info) => info.subStatus))];
};

/** What each action moves a session from and to. Actions that move nothing are not here. */
export const ACTION_MOVES: readonly {
  action: SessionAction;
  from: readonly SubStatus[];
  to: KnownSubStatus;
}[] = [
  {
    action: 'SCHEDULE_MEETING',
    from: allBut('USER_ACCEPTED_MEETING', 'AGENT_APPROVED', 'AGENT_REJECTED'),
    to: 'USER_MEETING_SCHEDULED',
  },
  {
    action: 'CANCEL_MEETING',
    from: allBut('USER_ACCEPTED_MEETING', 'AGENT_APPROVED', 'AGENT_REJECTED'),
    to: 'USER_MEETING_CANCELLED',
  },
  // A call that the customer ended may have been incomplete: it can be rejected on, not approved on.
  { action: 'RECORD_AGENT_REVIEW', from: ['AGENT_ENDED_CALL'], to: 'AGENT_APPROVED' },
  { action: 'RECORD_AGENT_REVIEW', from: ['AGENT_ENDED_CALL', 'USER_ENDED_CALL'], to: 'AGENT_REJECTED' },
  {
    action: 'RECORD_AGENT_REVIEW',
    from: ['AGENT_ENDED_CALL', 'USER_ENDED_CALL'],
    to: 'AGENT_UNABLE_TO_VALIDATE',
  },
  { action: 'RECORD_AUDITOR_REVIEW', from: ['AGENT_APPROVED'], to: 'AUDITOR_APPROVED' },
  { action: 'RECORD_AUDITOR_REVIEW', from: ['AGENT_APPROVED'], to: 'AUDITOR_REJECTED' },
];

/** One line of the state machine; a null `from` starts a session. */
export interface TransitionRule {
  readonly from: StatusInfo | null;
  readonly to: StatusInfo;
  readonly sources: readonly TransitionSource[];
  readonly action: SessionAction | null;
}

function ruleBetween(from: StatusInfo, to: StatusInfo): TransitionRule | null {
  const provider = providerMoves(from, to);
  const action = ACTION_MOVES.find(
    (move) => move.to === to.subStatus && move.from.includes(from.subStatus),
  )?.action;
  if (!provider && !action) return null;
  return {
    from,
    to,
    sources: [
      ...(provider ? (['WEBHOOK', 'POLL'] as const) : []),
      ...(action ? (['MUTATION'] as const) : []),
    ],
    action: action ?? null,
  };
}

/** Whether news of `to` moves a session that the provider itself brought to `from`. */
function providerMoves(from: Pair, to: Pair): boolean {
  const session = { ...from, version: 1, lastSequence: 1, disputed: false, decidedHere: false };
  const provider = {
    rawStatus: from.status,
    rawSubStatus: from.subStatus,
    eventTime: null,
    foundAt: null,
    webhooks: 0,
    doubt: null,
  };
  return verdictOn({ ...session, provider }, to) === 'MOVED';
}

/** The whole state machine, as the rules above and the mutations enforce it. */
export const TRANSITION_RULES: readonly TransitionRule[] = [
  ...STATUS_CATALOG.map((to) => ({
    from: null,
    to,
    sources: ['WEBHOOK', 'POLL', 'MUTATION'] as const,
    action: null,
  })),
  ...STATUS_CATALOG.flatMap((from) => STATUS_CATALOG.flatMap((to) => ruleBetween(from, to) ?? [])),
];

/** One line of a session's log, as far as the session's state depends on it. */
export interface LogEntry extends Pair {
  readonly sequence: number;
  readonly source: TransitionSource;
  readonly verdict: Verdict;
  /** The provider's words; null where the transition was made here. */
  readonly rawStatus: string | null;
  readonly rawSubStatus: string | null;
}

/** A transition as subscribers of a log get it. */
export interface FeedEntry extends LogEntry {
  /** Its place in the log that is followed, 1, 2, 3 …: the position in the feed, the sequence in a session's log. */
  readonly number: number;
  /** Its position in the feed; null if it was read from its session's log. */
  readonly position: number | null;
  /**
   * The start time of the database server that assigned the position, as text; only in entries that were not read but
   * handed over by the transaction that assigned it. Another value than before means another server or a restart.
   */
  readonly server?: string;
  readonly sessionId: string;
  readonly verificationId: string;
  readonly fromStatus: Status | null;
  readonly fromSubStatus: SubStatus | null;
  readonly actor: string | null;
  readonly occurredAt: Date | null;
  readonly recordedAt: Date;
}

/** The part of a session's state that its log determines. */
export type FoldedState = Pick<
  SessionState,
  'status' | 'subStatus' | 'version' | 'lastSequence' | 'disputed' | 'decidedHere'
> & {
  readonly provider: ProviderWords;
};

/** The next state after one line of the log. Replaying a whole log from null gives the session. */
export function advance(state: FoldedState | null, entry: LogEntry): FoldedState {
  const { rawStatus, rawSubStatus, sequence, verdict } = entry;
  const words = rawStatus !== null && rawSubStatus !== null ? { rawStatus, rawSubStatus } : null;
  if (!state) {
    if (verdict !== 'MOVED' || !words) throw new Error('A session begins with something the provider said');
    return { ...began(entry), disputed: false, decidedHere: false, provider: words };
  }
  return {
    ...state,
    ...(verdict === 'MOVED' ? { ...began(entry), decidedHere: words === null } : {}),
    lastSequence: sequence,
    disputed: state.disputed || verdict === 'DISPUTED' || verdict === 'DISPUTED_LATE',
    provider: words && !isLate(verdict) ? words : state.provider,
  };
}

const began = ({ status, subStatus, sequence }: LogEntry) => ({
  status,
  subStatus,
  version: sequence,
  lastSequence: sequence,
});
