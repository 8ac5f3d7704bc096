import type { Role } from '../../../src/domain/access.ts';
import type { BenchDatabase } from '../database/database.ts';
import type { ContenderName } from './contenders.ts';
import { type Operation, pageOperations, sessionOperations } from './queries.ts';

/** What the gateway is to be, beside another: so many times its throughput, or its processor time a request. */
export interface Goal {
  readonly beside: ContenderName;
  readonly of: 'throughput' | 'cpu';
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** Something that is asked of every contender alike. */
export interface Work {
  readonly about: string;
  readonly peers: readonly ContenderName[];
  /** Whose token is sent. */
  readonly role: Role;
  /** Rows that each answer of the gateway adds to the log of reads. */
  readonly readsEach: 0 | 1;
  readonly goals: readonly Goal[];
  operations(database: BenchDatabase): Promise<Operation[]>;
}

const PEERS = ['plain', 'mercurius', 'apollo', 'yoga'] as const;

const SESSION = {
  peers: PEERS,
  operations: sessionOperations,
  goals: [
    { beside: 'plain', of: 'throughput', atLeast: 0.75 },
    { beside: 'plain', of: 'cpu', atMost: 1.4 },
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

/** A VIEWER's answers are masked and show nothing personal; an OPERATOR's show it, so all record that first. */
export const WORKS = {
  session: {
    ...SESSION,
    about: '(a) one session by id, with its user, masked',
    role: 'VIEWER',
    readsEach: 0,
  },
  'session-read': {
    ...SESSION,
    about: '(a) the same in full: each reading is recorded before it is answered, by all',
    role: 'OPERATOR',
    readsEach: 1,
  },
  page: {
    ...PAGE,
    about: '(b) a page of 50 sessions with user and 8 transitions each, masked',
    role: 'VIEWER',
    readsEach: 0,
  },
  'page-read': {
    ...PAGE,
    about: '(b) the same in full: each reading is recorded before it is answered, by all',
    role: 'OPERATOR',
    readsEach: 1,
  },
} as const satisfies Record<string, Work>;
