import type pg from 'pg';
import type { Clock } from '../../src/domain/ports.ts';
import { eventually } from './gateway.ts';

/** A clock that goes with the real one, and forwards when told to. */
export function movableClock(): Clock & { forward(ms: number): void } {
  let ahead = 0;
  return {
    now: () => new Date(Date.now() + ahead),
    forward(ms) {
      ahead += ms;
    },
  };
}

/** Makes the planned poll of a verification due in the queue; whether it asks is up to what is known of it. */
export async function bringForward(database: pg.Pool, verificationId: string): Promise<void> {
  await eventually(async () => {
    const { rowCount } = await database.query(
      `update graphile_worker._private_jobs set run_at = now() where key = $1`,
      [`reconcile:${verificationId}`],
    );
    return rowCount;
  });
  // What the queue itself rings when a job is added.
  await database.query(`select pg_notify('jobs:insert', '{"r":0,"count":1}')`);
}

/** The same for every poll that is planned. */
export async function bringAllForward(database: pg.Pool): Promise<void> {
  await database.query(
    `update graphile_worker._private_jobs set run_at = now() where key like 'reconcile:%'`,
  );
  await database.query(`select pg_notify('jobs:insert', '{"r":0,"count":1}')`);
}
