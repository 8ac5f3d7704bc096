/**
 * Opens each implementation of `Doorbell` (notification between replicas) for two replicas of a gateway, to test all
 * implementations by one contract.
 */
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { test } from 'vitest';
import { createDatabasePools, type DatabasePools } from '../../src/db/connection/client.ts';
import type { Doorbell } from '../../src/domain/ports.ts';
import { createLocalDoorbell } from '../../src/feed/doorbell.ts';
import {
  createNatsDoorbell,
  type NatsDoorbell,
  type NatsDoorbellTimings,
} from '../../src/feed/nats-doorbell.ts';
import {
  createPostgresDoorbell,
  type PostgresDoorbell,
  type PostgresDoorbellTimings,
} from '../../src/feed/postgres-doorbell.ts';
import { atTheEnd, eventually, freshDatabase } from '../harness/gateway.ts';
import { natsTest, startNatsServer } from '../harness/nats.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';

export interface Replicas {
  readonly databaseUrl: string;
  readonly doorbells: readonly [Doorbell, Doorbell];
  /** Interrupts the transport of both replicas; does nothing for the implementation within one process. */
  breakTransport(): Promise<void>;
  /** Restores the transport; resolves once both replicas are connected again. */
  mendTransport(): Promise<void>;
}

interface Adapter {
  open(): Promise<Replicas>;
  /** Defines a test; skips the test if this machine lacks the server that the implementation needs. */
  readonly test: (name: string, body: () => Promise<void>) => void;
}

/** Implementations of `Doorbell`, by the words that name them in test titles. */
export const ADAPTERS: Readonly<Record<string, Adapter>> = {
  'within one process': { open: openLocal, test },
  'over PostgreSQL': { open: openPostgres, test },
  'over NATS': { open: openNats, test: natsTest },
};

async function openLocal(): Promise<Replicas> {
  const doorbell = createLocalDoorbell();
  return {
    databaseUrl: await freshDatabase(),
    doorbells: [doorbell, doorbell],
    breakTransport: async () => {},
    mendTransport: async () => {},
  };
}

async function openPostgres(): Promise<Replicas> {
  const databaseUrl = await freshDatabase();
  const wire = await startTcpProxy(databaseUrl);
  const replicas = await Promise.all([openReplica(wire.url), openReplica(wire.url)]);
  const [one, two] = replicas.map(({ doorbell }) => doorbell) as [PostgresDoorbell, PostgresDoorbell];
  const both = (connected: boolean) =>
    eventually(async () => one.connected === connected && two.connected === connected);
  return {
    databaseUrl,
    doorbells: [one, two],
    async breakTransport() {
      wire.cut();
      await both(false);
    },
    async mendTransport() {
      wire.mend();
      await both(true);
    },
  };
}

async function openNats(): Promise<Replicas> {
  const server = await startNatsServer();
  const subject = randomUUID();
  const [one, two] = await Promise.all([
    openOverNats([server.url], { subject }),
    openOverNats([server.url], { subject }),
  ]);
  const both = (connected: boolean) =>
    eventually(async () => one.doorbell.connected === connected && two.doorbell.connected === connected);
  return {
    databaseUrl: await freshDatabase(),
    doorbells: [one.doorbell, two.doorbell],
    async breakTransport() {
      await server.kill();
      await both(false);
    },
    async mendTransport() {
      await server.start();
      await both(true);
    },
  };
}

export interface Replica {
  readonly doorbell: PostgresDoorbell;
  readonly connection: DatabasePools;
  /** Log lines of the doorbell at level warn or above. */
  readonly warnings: string[];
}

/** Opens a connected PostgreSQL doorbell with short retry delays; it is stopped when the test ends. */
export async function openReplica(
  url: string,
  timings: Partial<PostgresDoorbellTimings> = {},
): Promise<Replica> {
  const warnings: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => void warnings.push(line) });
  const connection = createDatabasePools(url, 4, () => {});
  atTheEnd(() => connection.close());
  const doorbell = createPostgresDoorbell({
    url,
    db: connection.db,
    log,
    timings: { firstRetryMs: 10, longestRetryMs: 100, ...timings },
  });
  atTheEnd(() => doorbell.stop());
  await eventually(async () => doorbell.connected);
  return { doorbell, connection, warnings };
}

interface NatsOptions {
  readonly subject?: string;
  readonly timings?: Partial<NatsDoorbellTimings>;
  /** Whether the server is reachable, so that opening waits for a connection; true by default. */
  readonly reachable?: boolean;
  readonly onUnreadableRing?: () => void;
}

/** Opens a NATS doorbell with short retry delays; it is stopped when the test ends. */
export async function openOverNats(
  servers: readonly string[],
  { subject = 'test', timings = {}, reachable = true, onUnreadableRing }: NatsOptions = {},
): Promise<{ doorbell: NatsDoorbell; warnings: string[] }> {
  const warnings: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => void warnings.push(line) });
  const doorbell = createNatsDoorbell({
    servers,
    subject,
    log,
    ...(onUnreadableRing ? { onUnreadableRing } : {}),
    timings: { firstRetryMs: 10, longestRetryMs: 100, ...timings },
  });
  atTheEnd(() => doorbell.stop());
  if (reachable) await eventually(async () => doorbell.connected);
  return { doorbell, warnings };
}
