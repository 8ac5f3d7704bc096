/** What is not counted as it happens, but looked at when somebody asks. */
import { Gauge, type Registry } from 'prom-client';
import type { Replication } from '../domain/replication.ts';
import { sharedAnswer } from './shared-answer.ts';

/** What the database holds that is still to be done, of all replicas; ages in seconds, null where there is nothing. */
export interface Backlog {
  /** Counted up to 10,000. */
  readonly pending: number;
  readonly waiting: number;
  readonly parked: number;
  readonly oldestPendingSeconds: number | null;
  /** Committed transitions without a position in the feed, counted up to 10,000. */
  readonly unnumbered: number;
  readonly oldestUnnumberedSeconds: number | null;
  /** The newest position in the feed; 0 while it is empty. */
  readonly feedHead: number;
  /** Calls to the provider in the last minute: all, and polls among them. */
  readonly calls: number;
  readonly polls: number;
  /** For how long the provider wants to hear nothing, or no polls; 0 where it takes calls. */
  readonly callsPausedSeconds: number;
  readonly pollsPausedSeconds: number;
}

/** What this process has to tell of its feed. */
export interface FeedFigures {
  /** Those who follow single sessions, and those who follow all. */
  readonly subscribers: { readonly session: number; readonly all: number };
  /** Those of them who are in step with what happens, and those whose connection is full. */
  readonly live: number;
  readonly lagging: number;
  /** How far the feed of all sessions was passed on here; null while nobody follows it. */
  readonly passedOn: number | null;
}

interface PoolFigures {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

interface Watched {
  readonly pools: { readonly reads: PoolFigures; readonly writes: PoolFigures };
  /** False while the database is known to take no writes, though it may answer. */
  readonly takesWrites: () => boolean;
  readonly askReplication: () => Promise<Replication>;
  readonly feed: () => FeedFigures;
  readonly doorbell: { readonly connected: boolean };
  readonly limits: { readonly total: number; readonly polls: number };
  /** Asked once for many scrapes. */
  readonly askBacklog: () => Promise<Backlog>;
}

/** Scrapes of several Prometheis, or of anybody, cost the database no more than one every few seconds. */
const ASKED = { forMs: 3_000, patienceMs: 1_000 };

/**
 * Adds the gauges that are asked at a scrape. While the database does not answer, those that are its to tell have no
 * value, and `vkyc_database_up` is 0.
 */
export function addGauges(
  registry: Registry,
  { pools, takesWrites, askReplication, feed, doorbell, limits, askBacklog }: Watched,
): void {
  const registers = [registry];
  const backlog = sharedAnswer(ASKED, askBacklog);
  type Values = [labels: Record<string, string>, value: number | null][];
  const gauge = (name: string, help: string, labelNames: string[], values: () => Values | Promise<Values>) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      async collect() {
        const present = await values();
        for (const [labels, value] of present)
          if (value === null) this.remove(labels);
          else this.set(labels, value);
      },
    });
  /** One value of this process. */
  const own = (name: string, help: string, value: () => number) =>
    gauge(name, help, [], () => [[{}, value()]]);
  /** Values of the database, by label; none without it. */
  const ofAll = <L extends string>(
    name: string,
    help: string,
    label: L | null,
    read: Record<string, (found: Backlog) => number>,
  ) =>
    gauge(name, help, label ? [label] : [], async () => {
      const found = await backlog().catch(() => null);
      return Object.entries(read).map(([key, value]) => [
        label ? { [label]: key } : {},
        found && value(found),
      ]);
    });

  gauge('vkyc_database_up', 'Whether the database answered within a second.', [], async () => [
    [
      {},
      await backlog()
        .then(Boolean, () => false)
        .then(Number),
    ],
  ]);
  own('vkyc_database_takes_writes', 'Whether the database takes writes, as far as is known.', () =>
    Number(takesWrites()),
  );
  gauge(
    'vkyc_database_synchronous',
    'Whether commits wait for a standby, so that a failover loses nothing that was acknowledged.',
    [],
    async () => {
      const found = await askReplication().catch(() => null);
      return [[{}, found && Number(found.durability === 'SYNCHRONOUS')]];
    },
  );
  ofAll('vkyc_inbox_webhooks', 'Webhooks in the inbox that are not done, up to 10,000 of a state.', 'state', {
    PENDING: ({ pending }) => pending,
    WAITING: ({ waiting }) => waiting,
    PARKED: ({ parked }) => parked,
  });
  ofAll('vkyc_inbox_oldest_seconds', 'Age of the oldest webhook in line; 0 where there is none.', null, {
    oldest: ({ oldestPendingSeconds }) => oldestPendingSeconds ?? 0,
  });
  ofAll('vkyc_feed_unnumbered', 'Transitions without a position in the feed, up to 10,000.', null, {
    all: ({ unnumbered }) => unnumbered,
  });
  ofAll('vkyc_feed_lag_seconds', 'Age of the oldest of them; 0 where there is none.', null, {
    oldest: ({ oldestUnnumberedSeconds }) => oldestUnnumberedSeconds ?? 0,
  });
  ofAll('vkyc_feed_behind', 'Positions of the feed that this process has not passed on.', null, {
    tail: ({ feedHead }) => Math.max(0, feedHead - (feed().passedOn ?? feedHead)),
  });
  ofAll('vkyc_provider_calls_left', 'Calls that may be made in this minute, by purpose.', 'purpose', {
    MUTATION: (found) => (found.callsPausedSeconds > 0 ? 0 : Math.max(0, limits.total - found.calls)),
    POLL: (found) =>
      found.callsPausedSeconds > 0 || found.pollsPausedSeconds > 0
        ? 0
        : Math.max(0, Math.min(limits.total - found.calls, limits.polls - found.polls)),
  });
  ofAll('vkyc_provider_paused_seconds', 'For how long no such call is to be made.', 'purpose', {
    MUTATION: ({ callsPausedSeconds }) => callsPausedSeconds,
    POLL: (found) => Math.max(found.callsPausedSeconds, found.pollsPausedSeconds),
  });
  gauge('vkyc_database_connections', 'Connections of the pools.', ['pool', 'state'], () =>
    Object.entries(pools).flatMap(
      ([pool, { idleCount, totalCount }]): Values => [
        [{ pool, state: 'idle' }, idleCount],
        [{ pool, state: 'used' }, totalCount - idleCount],
      ],
    ),
  );
  gauge('vkyc_database_waiting', 'Callers that wait for a connection of a pool.', ['pool'], () =>
    Object.entries(pools).map(([pool, { waitingCount }]) => [{ pool }, waitingCount]),
  );
  own('vkyc_doorbell_connected', 'Whether other replicas are heard.', () => Number(doorbell.connected));
  gauge('vkyc_subscribers', 'Subscriptions that follow one session, or all.', ['log'], () => [
    [{ log: 'session' }, feed().subscribers.session],
    [{ log: 'all' }, feed().subscribers.all],
  ]);
  own('vkyc_subscribers_in_step', 'Those of them who get what happens as it happens.', () => feed().live);
  own('vkyc_subscribers_lagging', 'Those of them whose connection is full.', () => feed().lagging);
}
