import type { Doorbell } from '../domain/ports.ts';
import { type CursorCodec, createCursorCodec } from '../feed/cursor.ts';
import { Hub } from '../feed/hub.ts';
import { createNatsDoorbell, deriveNatsSubject } from '../feed/nats-doorbell.ts';
import { createPostgresDoorbell } from '../feed/postgres-doorbell.ts';
import { planPollsAfterDataLoss } from '../services/polling/relearn.ts';
import type { Core } from './core.ts';
import type { OpenedDatabase } from './database.ts';
import type { OpenedProvider } from './provider.ts';

/** Parts of this replica that notify other replicas of transitions and send transitions to subscribers. */
export interface OpenedFeed {
  readonly hub: Hub;
  readonly cursors: CursorCodec;
  readonly doorbell: Doorbell;
  /** Whether the doorbell is connected, so that notifications of other replicas arrive. */
  readonly connection: { readonly connected: boolean };
}

/**
 * Connects the doorbell (notifications between replicas), and starts the hub, which assigns feed positions and
 * sends transitions to the subscribers.
 */
export function openFeed(
  { config, overrides, clock, log, metrics, lifecycle }: Core,
  { db, pools, identity, listenUrl }: OpenedDatabase,
  { limits }: OpenedProvider,
): OpenedFeed {
  const { natsServers: servers } = config;
  const onUnreadableRing = () => metrics.strangeRings.inc();
  const connection = servers
    ? createNatsDoorbell({ servers, subject: deriveNatsSubject(identity), log, onUnreadableRing })
    : createPostgresDoorbell({ url: listenUrl, db, log, onUnreadableRing });
  const { doorbell: wrap = (unchanged) => unchanged } = overrides;
  const doorbell = wrap(connection);
  lifecycle.onStop(() => doorbell.stop());

  const relearn = async () => {
    const planned = await planPollsAfterDataLoss(db, clock.now(), limits.polls);
    log.warn(
      planned,
      'planned polls of the provider for all open sessions and starts, because the log was rewound',
    );
  };
  const hub = new Hub({ db, clock, doorbell, log, metrics, relearn });
  // After a failover, a new connection may lead to another database server, which may lack transitions, so
  // the hub reads its followed logs again.
  for (const pool of [pools.reads, pools.writes]) pool.on('connect', () => hub.reconnected());
  lifecycle.onStop(() => hub.stop());
  return { hub, doorbell, connection, cursors: createCursorCodec({ ...identity, clock }) };
}
