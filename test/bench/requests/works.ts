import type { Role } from '../../../src/domain/access.ts';
import type { BenchDatabase } from '../database/database.ts';
import type { ContenderName } from './contenders.ts';
import { meetingOperations, SCHEDULED } from './meetings.ts';
import { equivalents } from './postgraphile.ts';
import { filteredOperations, type Operation, pageOperations, sessionOperations } from './queries.ts';
import { untilNumbered, untilRecorded } from './settled.ts';
import { type Given, making, repeating, type TrafficTo } from './traffic.ts';
import { KEPT, webhookMaker } from './webhooks.ts';

/**
 * Goal of the gateway in relation to another server: a multiple of that server's throughput, or of its CPU time
 * per request.
 */
export interface Goal {
  readonly beside: ContenderName;
  readonly of: 'throughput' | 'cpu';
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** Table, and number of rows that each request must add to this table: proof that the server did the work. */
interface Evidence {
  readonly table: 'personal_data_read' | 'meeting' | 'webhook_inbox';
  readonly rowsEach: 0 | 1;
}

/** Kind of request that the bench sends to every server in the same form. */
export interface Work {
  readonly about: string;
  readonly peers: readonly ContenderName[];
  /** Role in the token of the requests. */
  readonly role: Role;
  readonly evidence: Evidence;
  readonly goals: readonly Goal[];
  /**
   * Returns the operations to send, if they only read. Before the measurement, the responses of all servers to these
   * operations are compared.
   */
  readonly operations?: (database: BenchDatabase) => Promise<Operation[]>;
  /**
   * Returns the requests to send, if no request may be sent twice (mutations, webhooks). Set instead of `operations`.
   */
  readonly traffic?: (given: Given) => Promise<TrafficTo>;
  /**
   * Waits until the gateway has done what it deferred until after the responses. This deferred work counts as CPU time,
   * but does not lower the throughput.
   */
  readonly settled?: (database: BenchDatabase) => Promise<void>;
}

export async function trafficOf(work: Work, given: Given): Promise<TrafficTo> {
  if (work.traffic) return work.traffic(given);
  const operations = (await work.operations?.(given.database)) ?? [];
  const same = repeating(operations, given);
  if (!work.peers.includes('postgraphile')) return same;
  const own = repeating(await equivalents(given.database, operations), given);
  return (name) => (name === 'postgraphile' ? own(name) : same(name));
}

const PEERS = ['plain', 'mercurius', 'apollo', 'yoga'] as const;
/**
 * Servers to compare with the gateway on small responses. Since the time to verify tokens matters there, `remembering`
 * takes part, which caches verified tokens like the gateway.
 */
const PEERS_SMALL = ['plain', 'remembering', 'mercurius', 'apollo', 'yoga'] as const;
/**
 * Server that takes part only if personal data is masked: PostGraphile can neither decrypt personal data nor record
 * that it was read.
 */
const MASKED_ONLY = 'postgraphile';
/** Requests as a VIEWER: responses show no personal data in full, so no read is recorded. */
const MASKED = { role: 'VIEWER', evidence: { table: 'personal_data_read', rowsEach: 0 } } as const;
/**
 * Requests as an OPERATOR: responses show personal data in full. Every server must record each read first;
 * the recorded rows are counted.
 */
const IN_FULL = { role: 'OPERATOR', evidence: { table: 'personal_data_read', rowsEach: 1 } } as const;

const SESSION = {
  peers: PEERS_SMALL,
  operations: sessionOperations,
  goals: [
    { beside: 'plain', of: 'throughput', atLeast: 0.75 },
    { beside: 'plain', of: 'cpu', atMost: 1.4 },
    { beside: 'remembering', of: 'throughput', atLeast: 0.75 },
    { beside: 'remembering', of: 'cpu', atMost: 1.4 },
    { beside: 'apollo', of: 'throughput', atLeast: 1.8 },
  ],
} as const;

const PAGE = {
  peers: PEERS,
  operations: pageOperations,
  goals: [
    { beside: 'plain', of: 'throughput', atLeast: 0.95 },
    { beside: 'plain', of: 'cpu', atMost: 1.1 },
    { beside: 'apollo', of: 'throughput', atLeast: 3 },
    { beside: 'mercurius', of: 'throughput', atLeast: 1.2 },
  ],
} as const;

export const WORKS = {
  session: {
    ...SESSION,
    ...MASKED,
    peers: [...PEERS_SMALL, MASKED_ONLY],
    about: '(a) one session by id, with its user, masked',
  },
  'session-read': {
    ...SESSION,
    ...IN_FULL,
    about: '(a) one session by id, with its user in full, each read recorded first',
  },
  page: {
    ...PAGE,
    ...MASKED,
    peers: [...PEERS, MASKED_ONLY],
    about: '(b) a page of 50 sessions with user and 8 transitions each, masked',
  },
  'page-read': {
    ...PAGE,
    ...IN_FULL,
    about: '(b) a page of 50 sessions with user in full and 8 transitions each, each read recorded first',
  },
  filtered: {
    ...MASKED,
    about: '(c) a page of 50 sessions that wait on agent or auditor, deep in the list',
    peers: PEERS,
    operations: filteredOperations,
    goals: [],
  },
  meeting: {
    about: '(d) scheduleMeeting mutations, each with its own idempotency key',
    peers: ['plain'],
    role: 'OPERATOR',
    evidence: { table: 'meeting', rowsEach: 1 },
    traffic: async (given) => making(await meetingOperations(given.database), SCHEDULED, given),
    settled: untilNumbered,
    goals: [],
  },
  webhook: {
    about: '(e) signed webhooks, recorded before they are answered',
    peers: ['kept', 'recorded'],
    role: 'OPERATOR',
    evidence: { table: 'webhook_inbox', rowsEach: 1 },
    traffic: async ({ database }) => {
      const make = await webhookMaker(database);
      return () => ({ proof: KEPT, next: () => make().request });
    },
    settled: untilRecorded,
    goals: [{ beside: 'recorded', of: 'throughput', atLeast: 0.7 }],
  },
} as const satisfies Record<string, Work>;
