import { expect, test } from 'vitest';
import type { Doorbell } from '../../src/domain/ports.ts';
import { bootGateway, eventually } from '../harness/gateway.ts';

test('what one gateway records, another on the same database is told of, once it can be read', async () => {
  const one = await bootGateway();
  let listening = false;
  const found: Promise<string[]>[] = [];
  const overheard = (doorbell: Doorbell) => {
    doorbell.listen({
      rung(sessionId, sequence) {
        const result = one.database.query(
          `select verification_id from vkyc_session join status_transition on session_id = vkyc_session.id
           where session_id = $1 and sequence = $2`,
          [sessionId, sequence],
        );
        found.push(result.then(({ rows }) => rows.map((row) => row.verification_id)));
      },
      missed() {
        listening = true;
      },
    });
    return doorbell;
  };
  await bootGateway({ database: one.databaseUrl, doorbell: overheard });
  await eventually(async () => listening);

  await one.start('told.to.both');

  await eventually(async () => found.length > 0);
  expect(await Promise.all(found)).toEqual([['told.to.both']]);
});
