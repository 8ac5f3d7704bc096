import { randomUUID } from 'node:crypto';
import { inArray, sql } from 'drizzle-orm';
import { createDatabasePools } from '../../../src/db/connection/client.ts';
import { notifyChannel } from '../../../src/db/connection/notifications.ts';
import { outbox, sessions, transitions, users } from '../../../src/db/schema/tables.ts';
import type { TransitionWithVerificationId } from '../../../src/db/sessions/transitions.ts';
import { ALL_PAIRS } from '../../../src/domain/status.ts';
import { DOORBELL_CHANNEL } from '../../../src/feed/postgres-doorbell.ts';
import { serializeRingMessages } from '../../../src/feed/ring-message.ts';

const SESSIONS = 20;

/** Writes transitions directly to the database, and notifies the gateway (NOTIFY) that its log has grown. */
export interface Log {
  /**
   * Records `count` transitions of several sessions in one transaction, and returns them in the form in which
   * the feed delivers them.
   */
  record(count: number): Promise<TransitionWithVerificationId[]>;
  close(): Promise<void>;
}

/** Opens the log of a migrated database, and creates the sessions whose transitions are recorded. */
export async function openLog(url: string): Promise<Log> {
  const { db, close } = createDatabasePools(url, 1, () => {});
  const now = new Date();
  const user = { id: randomUUID(), userId: 'bench', personal: Buffer.alloc(0), createdAt: now };
  const own = Array.from({ length: SESSIONS }, (_, index) => ({
    id: randomUUID(),
    verificationId: `bench.${index}`,
    userId: user.id,
    status: 'RECEIVED' as const,
    subStatus: 'LINK_GENERATED' as const,
    version: 1,
    lastSequence: 0,
    disputed: false,
    waitingOn: 'CUSTOMER' as const,
    decidedHere: false,
    providerStatus: '',
    providerSubStatus: '',
    providerWebhooks: 0,
    providerHeardAt: now,
    unsettled: false,
    createdAt: now,
    statusSince: now,
    updatedAt: now,
  }));
  await db.insert(users).values(user);
  await db.insert(sessions).values(own);
  let recorded = 0;

  const nextRow = (): TransitionWithVerificationId => {
    const { id, verificationId } = own[recorded % SESSIONS] as (typeof own)[number];
    const { status, subStatus } = ALL_PAIRS[recorded % ALL_PAIRS.length] as (typeof ALL_PAIRS)[number];
    const sequence = Math.floor(recorded / SESSIONS) + 1;
    recorded += 1;
    return {
      sessionId: id,
      verificationId,
      sequence,
      fromStatus: null,
      fromSubStatus: null,
      status,
      subStatus,
      rawStatus: status,
      rawSubStatus: subStatus,
      verdict: 'MOVED',
      source: 'WEBHOOK',
      actor: null,
      occurredAt: now,
      recordedAt: new Date(),
    };
  };

  return {
    async record(count) {
      const rows = Array.from({ length: count }, nextRow);
      await db.transaction(async (tx) => {
        await tx.insert(transitions).values(rows);
        await tx.insert(outbox).values(rows.map(({ sessionId, sequence }) => ({ sessionId, sequence })));
        const newest = tx
          .select({ sequence: sql`max(${transitions.sequence})` })
          .from(transitions)
          .where(sql`${transitions.sessionId} = ${sessions.id}`);
        await tx
          .update(sessions)
          .set({ lastSequence: sql`(${newest})` })
          .where(inArray(sessions.id, [...new Set(rows.map((row) => row.sessionId))]));
      });
      await notifyChannel(db, DOORBELL_CHANNEL, serializeRingMessages({ origin: 'bench', rings: 'LOOK' }));
      return rows;
    },
    close,
  };
}
