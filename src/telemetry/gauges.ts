/** Gauges: values that are read at each scrape instead of counted as they change. */
import { Gauge, type Registry } from 'prom-client';
import type { ReplicationState } from '../domain/replication.ts';
import { createCachedQuery } from './cached-query.ts';

/** Unfinished work of all replicas, counted in the database. Ages are in seconds, null if nothing is waiting. */
export interface BacklogFigures {
  /**
   * Webhooks of the inbox (stored webhooks) in the state PENDING. PENDING, WAITING and PARKED are each counted
   * up to 10,000.
   */
  readonly pending: number;
  readonly waiting: number;
  readonly parked: number;
  readonly oldestPendingSeconds: number | null;
  /** Committed transitions without a feed position, counted up to 10,000. */
  readonly unnumbered: number;
  readonly oldestUnnumberedSeconds: number | null;
  /** Newest position in the feed; 0 if the feed is empty. */
  readonly feedHead: number;
  /** Provider calls in the last minute: `calls` counts all, `polls` only polls. */
  readonly calls: number;
  readonly polls: number;
  /** Seconds until provider calls, or polls, may be made again; 0 if they are not paused. */
  readonly callsPausedSeconds: number;
  readonly pollsPausedSeconds: number;
}

/**
 * Numbers of the subscribers of this process, and the feed position up to which transitions have been sent to
 * them.
 */
export interface SubscriberFigures {
  /** Subscribers of single sessions, and of all sessions. */
  readonly subscribers: { readonly session: number; readonly all: number };
  /** Subscribers that are live, and those that lag because their sockets are full. */
  readonly live: number;
  readonly lagging: number;
  /**
   * Newest feed position that was sent to subscribers of all sessions; null if there are no such subscribers.
   */
  readonly passedOn: number | null;
}

/** Unfinished deliveries of one endpoint of merchant webhooks, counted in the database. */
export interface MerchantEndpointFigures {
  readonly name: string;
  /** Deliveries in the states PENDING and PARKED, each counted up to 10,000. */
  readonly pending: number;
  readonly parked: number;
  readonly oldestPendingSeconds: number | null;
  /** Whether nothing is sent for now, because the endpoint keeps failing or asked for it. */
  readonly paused: boolean;
}

/** Notifications of customers that are due and not sent, counted in the database. */
export interface NotificationFigures {
  readonly due: number;
  readonly oldestSeconds: number | null;
}

interface PoolFigures {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

interface Watched {
  readonly pools: Readonly<Record<'reads' | 'writes' | 'statistics', PoolFigures>>;
  /** Returns false while the database is known not to accept writes (read-only, full disk or stalled commits). */
  readonly takesWrites: () => boolean;
  readonly askReplication: () => Promise<ReplicationState>;
  readonly feed: () => SubscriberFigures;
  readonly doorbell: { readonly connected: boolean };
  readonly limits: { readonly total: number; readonly polls: number };
  /**
   * Queries the backlog (unfinished work). `registerGauges` caches the result and shares it between concurrent
   * scrapes.
   */
  readonly askBacklog: () => Promise<BacklogFigures>;
  /** Queries the endpoints of merchant webhooks; null if the settings name none. Cached as `askBacklog`. */
  readonly askEndpoints: (() => Promise<readonly MerchantEndpointFigures[]>) | null;
  /** Queries the notifications that are due; null if the settings name no way to send them. Cached as `askBacklog`. */
  readonly askNotifications: (() => Promise<NotificationFigures>) | null;
}

/**
 * Settings for caching the database query, so that even frequent scrapes cost only one query every few seconds.
 */
const DATABASE_CACHE = { forMs: 3_000, patienceMs: 1_000 };

/**
 * Adds the gauges that are read at each scrape. While the database does not answer, gauges that depend on it have no
 * value, and `vkyc_database_up` is 0.
 */
export function registerGauges(
  registry: Registry,
  {
    pools,
    takesWrites,
    askReplication,
    feed,
    doorbell,
    limits,
    askBacklog,
    askEndpoints,
    askNotifications,
  }: Watched,
): void {
  const registers = [registry];
  const backlog = createCachedQuery(DATABASE_CACHE, askBacklog);
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
  /** Adds a gauge with one value of this process. */
  const own = (name: string, help: string, value: () => number) =>
    gauge(name, help, [], () => [[{}, value()]]);
  /**
   * Adds a gauge with one value from the database for each label value. While the database does not answer, the
   * gauge has no values.
   */
  const ofAll = <L extends string>(
    name: string,
    help: string,
    label: L | null,
    read: Record<string, (found: BacklogFigures) => number>,
  ) =>
    gauge(name, help, label ? [label] : [], async () => {
      const found = await backlog().catch(() => null);
      return Object.entries(read).map(([key, value]) => [
        label ? { [label]: key } : {},
        found && value(found),
      ]);
    });

  gauge('vkyc_database_up', '1 if the database answered within one second, otherwise 0.', [], async () => [
    [
      {},
      await backlog()
        .then(Boolean, () => false)
        .then(Number),
    ],
  ]);
  own(
    'vkyc_database_takes_writes',
    '1 if the database accepts writes, as far as this process knows, otherwise 0.',
    () => Number(takesWrites()),
  );
  gauge(
    'vkyc_database_synchronous',
    '1 if commits wait for a standby, so that a failover loses no acknowledged transition; otherwise 0.',
    [],
    async () => {
      const found = await askReplication().catch(() => null);
      return [[{}, found && Number(found.durability === 'SYNCHRONOUS')]];
    },
  );
  ofAll(
    'vkyc_inbox_webhooks',
    'Webhooks in the inbox that are not DONE, by state; counted up to 10,000 per state.',
    'state',
    {
      PENDING: ({ pending }) => pending,
      WAITING: ({ waiting }) => waiting,
      PARKED: ({ parked }) => parked,
    },
  );
  ofAll(
    'vkyc_inbox_oldest_seconds',
    'Age of the oldest PENDING webhook in seconds; 0 if there is none.',
    null,
    {
      oldest: ({ oldestPendingSeconds }) => oldestPendingSeconds ?? 0,
    },
  );
  ofAll(
    'vkyc_feed_unnumbered',
    'Transitions in the outbox, which have no feed position yet; counted up to 10,000.',
    null,
    {
      all: ({ unnumbered }) => unnumbered,
    },
  );
  ofAll(
    'vkyc_feed_lag_seconds',
    'Age of the oldest transition in the outbox in seconds; 0 if there is none.',
    null,
    {
      oldest: ({ oldestUnnumberedSeconds }) => oldestUnnumberedSeconds ?? 0,
    },
  );
  ofAll('vkyc_feed_behind', 'Feed positions that this process has not yet sent to its subscribers.', null, {
    tail: ({ feedHead }) => Math.max(0, feedHead - (feed().passedOn ?? feedHead)),
  });
  ofAll(
    'vkyc_provider_calls_left',
    'Provider calls left in the call budget of this minute, by purpose.',
    'purpose',
    {
      MUTATION: (found) => (found.callsPausedSeconds > 0 ? 0 : Math.max(0, limits.total - found.calls)),
      POLL: (found) =>
        found.callsPausedSeconds > 0 || found.pollsPausedSeconds > 0
          ? 0
          : Math.max(0, Math.min(limits.total - found.calls, limits.polls - found.polls)),
    },
  );
  ofAll(
    'vkyc_provider_paused_seconds',
    "Seconds until provider calls of this purpose may be made again after the provider's rate limit; 0 if they are not paused.",
    'purpose',
    {
      MUTATION: ({ callsPausedSeconds }) => callsPausedSeconds,
      POLL: (found) => Math.max(found.callsPausedSeconds, found.pollsPausedSeconds),
    },
  );
  gauge(
    'vkyc_database_connections',
    'Database connections, by pool (reads, writes or statistics) and state.',
    ['pool', 'state'],
    () =>
      Object.entries(pools).flatMap(
        ([pool, { idleCount, totalCount }]): Values => [
          [{ pool, state: 'idle' }, idleCount],
          [{ pool, state: 'used' }, totalCount - idleCount],
        ],
      ),
  );
  gauge(
    'vkyc_database_waiting',
    'Callers that wait for a database connection, by pool (reads, writes or statistics).',
    ['pool'],
    () => Object.entries(pools).map(([pool, { waitingCount }]) => [{ pool }, waitingCount]),
  );
  own(
    'vkyc_doorbell_connected',
    '1 if the doorbell is connected, so that notifications of other replicas arrive; otherwise 0.',
    () => Number(doorbell.connected),
  );
  gauge('vkyc_subscribers', 'Open subscriptions, by log: one session or all.', ['log'], () => [
    [{ log: 'session' }, feed().subscribers.session],
    [{ log: 'all' }, feed().subscribers.all],
  ]);
  own(
    'vkyc_subscribers_in_step',
    'Open subscriptions that are live: neither catching up nor lagging.',
    () => feed().live,
  );
  own(
    'vkyc_subscribers_lagging',
    'Open subscriptions that lag because their socket buffer is full (backpressure).',
    () => feed().lagging,
  );

  const notifications = createCachedQuery(DATABASE_CACHE, askNotifications ?? (async () => null));
  const ofNotifications = (name: string, help: string, read: (found: NotificationFigures) => number) =>
    gauge(name, help, [], async () => {
      const found = await notifications().catch(() => null);
      return [[{}, found && read(found)]];
    });
  ofNotifications(
    'vkyc_notifications_due',
    'Notifications of customers that are due and not sent; counted up to 10,000.',
    ({ due }) => due,
  );
  ofNotifications(
    'vkyc_notifications_oldest_seconds',
    'Seconds for which the oldest notification that is due has been due; 0 if there is none.',
    ({ oldestSeconds }) => oldestSeconds ?? 0,
  );

  const endpoints = createCachedQuery(DATABASE_CACHE, askEndpoints ?? (async () => []));
  /** Adds a gauge with values of each endpoint of merchant webhooks. */
  const ofEndpoints = (
    name: string,
    help: string,
    labelNames: string[],
    read: (found: MerchantEndpointFigures) => Values,
  ) =>
    gauge(name, help, ['endpoint', ...labelNames], async () => {
      const found = await endpoints().catch(() => []);
      return found.flatMap((each) =>
        read(each).map(([labels, value]): Values[number] => [{ endpoint: each.name, ...labels }, value]),
      );
    });
  ofEndpoints(
    'vkyc_merchant_deliveries',
    'Deliveries of merchant webhooks that are not DONE, by endpoint and state; counted up to 10,000 per state.',
    ['state'],
    ({ pending, parked }) => [
      [{ state: 'PENDING' }, pending],
      [{ state: 'PARKED' }, parked],
    ],
  );
  ofEndpoints(
    'vkyc_merchant_oldest_seconds',
    'Seconds for which the oldest PENDING delivery of an endpoint has waited; 0 if there is none.',
    [],
    ({ oldestPendingSeconds }) => [[{}, oldestPendingSeconds ?? 0]],
  );
  ofEndpoints(
    'vkyc_merchant_endpoint_paused',
    '1 if nothing is sent to an endpoint for now, because it keeps failing or asked for it; otherwise 0.',
    [],
    ({ paused }) => [[{}, Number(paused)]],
  );
}
