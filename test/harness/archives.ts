/** Test helpers: sessions that are old enough to be archived, and the archive commands. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { makeOlder } from './audit.ts';
import { createCommandRunner } from './command.ts';
import { AUDIT_KEYS, atTheEnd, DATA_KEYS, eventually, type Gateway } from './gateway.ts';
import { inMinutes, person } from './people.ts';
import { webhooksTaken } from './rows.ts';

const SEVEN_YEARS = 7 * 365 + 2;

export const environmentOf = ({ databaseUrl }: Pick<Gateway, 'databaseUrl'>) => ({
  ...{ PATH: process.env.PATH ?? '', DATABASE_URL: databaseUrl, DATA_KEYS, AUDIT_KEYS },
  LEGAL_RETENTION_DAYS: '1826',
  RETENTION_DAYS: '2192',
});

const runCommand = createCommandRunner();

/** Runs an operator command as the database's owner, next to the gateway. Returns what it prints. */
export async function run(
  gateway: Pick<Gateway, 'databaseUrl'>,
  command: string,
  ...args: string[]
): Promise<string> {
  const { stdout } = await runCommand(command, args, environmentOf(gateway));
  return stdout;
}

export async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vkyc-archive-'));
  atTheEnd(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * Creates a session with a meeting, texts and both reviews, and shifts all its dates back by seven years. Returns the
 * started session, and its database id as `key`.
 */
export async function endedLongAgo(gateway: Gateway, verificationId: string) {
  const user = { userId: `u-${verificationId}`, phone: phoneOf(verificationId) };
  const session = await gateway.start(verificationId, { user });
  const { id } = session;
  const [agent, auditor] = [
    await person(gateway, 'ravi', 'AGENT'),
    await person(gateway, 'uma', 'AUDITOR'),
  ] as const;
  await agent.act('scheduleMeeting', id, { startsAt: inMinutes(30) });
  await agent.act('cancelMeeting', id, { reason: 'her son is ill' });
  await gateway.webhook({
    event_time: new Date(Date.now() + 60_000).toISOString(),
    data: {
      ...{ verification_id: verificationId, status: 'VIDEO_CALL', sub_status: 'AGENT_ENDED_CALL' },
      agent_remarks: 'she had a cold',
    },
  });
  await eventually(async () => (await agent.look(id)).availableActions.includes('RECORD_AGENT_REVIEW'));
  await agent.act('recordAgentReview', id, { decision: 'APPROVED', remarks: 'like her photo' });
  const result = await auditor.act('recordAuditorReview', id, {
    decision: 'REJECTED',
    remarks: 'not like it',
    reasons: ['FACE_MISMATCH', 'CUSTOMER_PROMPTED'],
    customerMessage: 'visit a branch',
  });
  expect(result.__typename).toBe('RecordReviewSuccess');
  // Waits for the webhook above and the sandbox's webhook about the link: if one was recorded after `makeOlder`, its
  // transition would have today's date (race).
  await webhooksTaken(gateway.database, verificationId, 2);
  const { rows } = await gateway.database.query(
    `select id::text as key from vkyc_session where verification_id = $1`,
    [verificationId],
  );
  await makeOlder(gateway, rows[0].key, SEVEN_YEARS);
  return { ...session, key: rows[0].key as string };
}

export const phoneOf = (verificationId: string): string => `701234567${verificationId.at(-1)}`;
