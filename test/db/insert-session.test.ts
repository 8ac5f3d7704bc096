import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { createDatabasePools, type Transaction } from '../../src/db/connection/client.ts';
import { type SessionRow, tryInsertSession } from '../../src/db/sessions/sessions.ts';
import { insertOrFindUser } from '../../src/db/sessions/users.ts';
import { atTheEnd, freshDatabase } from '../harness/gateway.ts';

const ROUNDS = 400;
const WRITERS = 4;

test('if several connections insert the same session at the same time, one inserts it and none fails', async () => {
  const { db, close } = createDatabasePools(await freshDatabase(), WRITERS, () => {});
  atTheEnd(close);
  const now = new Date();
  const user = await insertOrFindUser(db, {
    id: randomUUID(),
    userId: 'u',
    personal: Buffer.alloc(0),
    phoneHash: null,
    createdAt: now,
    erasedAt: null,
  });

  for (let round = 0; round < ROUNDS; round += 1) {
    const row = {
      id: randomUUID(),
      verificationId: `race.${round}`,
      userId: user.id,
      status: 'RECEIVED',
      subStatus: 'LINK_GENERATED',
      version: 1,
      lastSequence: 1,
      disputed: false,
      waitingOn: 'CUSTOMER',
      decidedHere: false,
      providerStatus: 'RECEIVED',
      providerSubStatus: 'LINK_GENERATED',
      providerWebhooks: 0,
      providerHeardAt: new Date(),
      unsettled: false,
      createdAt: now,
      statusSince: now,
      updatedAt: now,
    } as SessionRow;

    const inserted = await Promise.all(
      Array.from({ length: WRITERS }, () => tryInsertSession(db as unknown as Transaction, row)),
    );

    expect(inserted.filter(Boolean)).toHaveLength(1);
  }
});
