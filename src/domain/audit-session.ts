/** Compares the row of a session with its audit chain and its log of transitions. Pure functions. */

import {
  type AuditEntry,
  computeCommitment,
  formatPersonForCommitment,
  LATE_SESSION_FIELDS,
  type LateSessionField,
} from './audit.ts';
import {
  type AuditFinding,
  findEarliestFinding,
  type ParsedAuditContent,
  parseAuditContent,
  toStoredForm,
} from './audit-check.ts';
import { invariant } from './invariant.ts';
import {
  applyTransition,
  isAppliedVerdict,
  type ProjectedSessionState,
  type SessionLogEntry,
} from './session.ts';
import { getAwaitedParty, type Party } from './status.ts';

/** Columns of a session's row that DETAILS entries contain. */
type RowDetails = Readonly<Record<Exclude<LateSessionField, 'caller'>, string | Date | null>>;

/** Columns of a session's row that the audit checks, apart from those of `ProjectedSessionState`. */
export interface AuditedSessionColumns
  extends Omit<ProjectedSessionState, 'provider' | 'assigned'>,
    RowDetails {
  readonly verificationId: string;
  readonly userId: string;
  readonly personSalt: Buffer | null;
  readonly rawStatus: string | null;
  readonly rawSubStatus: string | null;
  readonly providerStatus: string;
  readonly providerSubStatus: string;
  readonly waitingOn: Party;
  readonly assignedAgent: string | null;
  readonly assignedAt: Date | null;
  readonly statusSince: Date;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly erasedAt: Date | null;
}

/**
 * Rows of other tables that say whose session a session row is: the user, and the start with its caller. An archive
 * does not contain these rows.
 */
export interface SessionOrigin {
  readonly user: { readonly userId: string; readonly createdAt: Date; readonly erasedAt: Date | null } | null;
  /**
   * Caller who started the session; null if another system started the session, or its start intent is missing.
   */
  readonly caller: string | null;
}

type AuditedLogEntry = SessionLogEntry & { readonly recordedAt: Date };

const ROW = 'its row of vkyc_session was edited';

/**
 * Checks the columns of a session row that can be computed from its log of transitions and its ERASURE entry.
 * These columns change only with a transition or an erasure, so they have no audit entries of their own.
 */
export function checkDerivedColumns(
  entries: readonly AuditEntry[],
  log: readonly AuditedLogEntry[],
  row: AuditedSessionColumns | null,
): AuditFinding | null {
  const last = Math.max(1, entries.length);
  if (!row) return { number: last, what: 'its row of vkyc_session was removed' };
  try {
    const erased = entries.findLast(({ kind }) => kind === 'ERASURE')?.recordedAt ?? null;
    const derived: ParsedAuditContent = { ...derivedFrom(log, entries), erasedAt: erased };
    const given = row as unknown as ParsedAuditContent;
    const wrong = Object.keys(derived).filter((field) => !isSame(derived[field], given[field]));
    return wrong.length === 0 ? null : { number: last, what: `${ROW}: ${wrong.join(', ')}` };
  } catch {
    return {
      number: 1,
      what: 'its log of transitions cannot be replayed: the first transition was removed or edited',
    };
  }
}

function derivedFrom(log: readonly AuditedLogEntry[], entries: readonly AuditEntry[]) {
  const state = log.reduce<ProjectedSessionState | null>(applyTransition, null);
  const applied = log.findLast(({ verdict }) => isAppliedVerdict(verdict));
  invariant(state && applied, 'the log has no transition that was applied');
  const { provider, assigned, ...folded } = state;
  return {
    ...folded,
    ...(assigned ? findAssignment(entries) : { assignedAgent: null, assignedAt: null }),
    providerStatus: provider.rawStatus,
    providerSubStatus: provider.rawSubStatus,
    waitingOn: getAwaitedParty(state, state),
    rawStatus: applied.rawStatus,
    rawSubStatus: applied.rawSubStatus,
    statusSince: applied.recordedAt,
    createdAt: log[0]?.recordedAt,
    updatedAt: log.at(-1)?.recordedAt,
  };
}

/** Returns who was given the session by the newest assignment in its chain, and when. */
function findAssignment(entries: readonly AuditEntry[]): ParsedAuditContent {
  const contents = entries.flatMap(({ kind, content }) =>
    kind === 'ANNOTATION' ? [parseAuditContent(content)] : [],
  );
  const newest = contents.findLast(({ kind }) => kind === 'ASSIGNMENT' || kind === 'CLAIM');
  return {
    assignedAgent: newest?.kind === 'CLAIM' ? newest.author : newest?.code,
    assignedAt: newest?.recordedAt,
  };
}

/** Fields of the SESSION entry that never change. */
const IDENTITY = ['verificationId', 'userId', 'createdAt'] as const;
/**
 * The only detail of a session that may change after it was set: the provider may move the expiry of the link.
 */
const CHANGEABLE: LateSessionField = 'linkExpiresAt';

/**
 * Whether an audit chain says whose session it is (SESSION entry). A chain of an earlier release has no such
 * entry until `npm run audit -- bind` adds one.
 */
export const hasSessionEntry = (entries: readonly AuditEntry[]): boolean =>
  entries.some(({ kind }) => kind === 'SESSION');

/**
 * Compares the identity and the details in the session's row with the SESSION and DETAILS entries. `origin` is
 * undefined for an archive, which has no rows of users and starts.
 */
export function checkIdentityAndDetails(
  entries: readonly AuditEntry[],
  row: AuditedSessionColumns | null,
  origin: SessionOrigin | undefined,
): AuditFinding | null {
  if (!row) return null;
  const [session, second] = entries.filter(({ kind }) => kind === 'SESSION');
  if (second) return { number: second.number, what: 'inserted: an earlier entry already names the session' };
  const details = latestDetails(entries);
  const findings = [...details.findings];
  const given: ParsedAuditContent = { ...row, caller: origin?.caller };
  for (const field of LATE_SESSION_FIELDS) {
    const recorded = details.newest.get(field);
    const isSaid = recorded !== undefined && (session !== undefined || recorded.value !== null);
    if (!isSaid || (field === 'caller' && !origin)) continue;
    if (isSame(recorded.value, given[field])) continue;
    const what = field === 'caller' ? 'the caller of its row of start_intent was edited' : `${ROW}: ${field}`;
    findings.push({ number: recorded.number, what });
  }
  if (session) {
    const payload = parseAuditContent(session.content);
    const wrong = IDENTITY.filter((field) => !isSame(payload[field], given[field]));
    if (wrong.length > 0) findings.push({ number: session.number, what: `${ROW}: ${wrong.join(', ')}` });
    const person = origin && checkPerson(entries, session, row, origin);
    if (person) findings.push(person);
  }
  if (origin?.user && !isSame(origin.user.erasedAt, row.erasedAt))
    findings.push({ number: Math.max(1, entries.length), what: 'its row of vkyc_user was edited: erasedAt' });
  return findEarliestFinding(findings);
}

/**
 * Returns the details in which the row differs from its audit chain, by field. Either an earlier release wrote
 * such a detail without an audit entry, or the row was edited.
 */
export function findDifferingDetails(
  entries: readonly AuditEntry[],
  row: AuditedSessionColumns,
  { caller }: SessionOrigin,
): Partial<Record<LateSessionField, string | Date | null>> {
  const { newest } = latestDetails(entries);
  const given = { ...row, caller };
  const differing = LATE_SESSION_FIELDS.filter(
    (field) => given[field] !== null && !isSame(newest.get(field)?.value ?? null, given[field]),
  );
  return Object.fromEntries(differing.map((field) => [field, given[field]]));
}

/**
 * Returns the newest value of each field in DETAIL_FIELDS. Also returns a finding for each entry that changes a
 * value which may not change: the session's row was edited before that entry was written.
 */
function latestDetails(entries: readonly AuditEntry[]) {
  const newest = new Map<LateSessionField, { number: number; value: unknown }>();
  const findings: AuditFinding[] = [];
  for (const { kind, number, content } of entries) {
    if (kind !== 'SESSION' && kind !== 'DETAILS') continue;
    const payload = parseAuditContent(content);
    for (const field of LATE_SESSION_FIELDS) {
      const value = payload[field] ?? null;
      const before = newest.get(field)?.value ?? null;
      if (value === null && before !== null) continue;
      newest.set(field, { number, value });
      const mayChange = field === CHANGEABLE || (payload.boundBy ?? null) !== null;
      if (before !== null && !mayChange && !isSame(value, before))
        findings.push({ number, what: `${field} of its session was edited before this entry` });
    }
  }
  return { newest, findings };
}

/**
 * Compares the user row with the commitment (salted hash) in the SESSION entry. After an erasure there is
 * nothing to compare, because the salt and the provider's user id are gone.
 */
function checkPerson(
  entries: readonly AuditEntry[],
  session: AuditEntry,
  { personSalt }: AuditedSessionColumns,
  { user }: SessionOrigin,
): AuditFinding | null {
  const { number } = session;
  const payload = parseAuditContent(session.content).person ?? null;
  if (!user) return { number, what: 'its row of vkyc_user was removed' };
  if (payload === null || entries.some((entry) => entry.kind === 'ERASURE' && entry.number > number))
    return null;
  if (!personSalt) return { number, what: `${ROW}: personSalt` };
  return computeCommitment(formatPersonForCommitment(user), personSalt) === payload
    ? null
    : { number, what: 'its row of vkyc_user was edited: userId, createdAt' };
}

/**
 * Whether a value of a row equals a value of an audit entry. Entries hold times as text, so a `Date` is
 * formatted first.
 */
const isSame = (a: unknown, b: unknown): boolean => asPlain(a) === asPlain(b);

function asPlain(value: unknown): unknown {
  if (!(value instanceof Date)) return toStoredForm(value);
  return Number.isNaN(value.getTime()) ? 'no time' : value.toISOString();
}
