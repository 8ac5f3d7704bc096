/** Stories of notifications that the gateway sends by e-mail. */
import { expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { Mailer } from '../../src/services/outgoing/mailer.ts';
import { auditOf } from '../harness/audit.ts';
import { movableClock, quietHoursNow } from '../harness/clock.ts';
import { createCommandRunner } from '../harness/command.ts';
import {
  AUDIT_KEYS,
  atTheEnd,
  bootGateway,
  DATA_KEYS,
  eventually,
  type Gateway,
} from '../harness/gateway.ts';
import { startMailServer } from '../harness/mail-server.ts';
import { type Person, person } from '../harness/people.ts';
import { sendTo, startReceiver } from '../harness/receiver.ts';

const runCommand = createCommandRunner();
const ADDRESS = 'asha@customers.example';
const USER = { phone: '9988776655', name: 'Asha Rao', email: ADDRESS };
const HOUR_MS = 3_600_000;

const listOf = async (who: Person, id: string) =>
  (
    await who.query(
      'query ($id: ID!) { result: session(id: $id) { notifications(first: 20) { nodes { kind channel state outcome dueAt settledAt } } } }',
      { id },
    )
  ).notifications.nodes;

const linkOf = async (gateway: Gateway, id: string): Promise<string> =>
  (await gateway.graphql('query ($id: ID!) { session(id: $id) { link } }', { id })).data.session.link;

async function mailing(environment: Record<string, string> = {}) {
  const mails = await startMailServer();
  const clock = movableClock();
  const gateway = await bootGateway({
    ...{ clock, lookIntervalMs: 50 },
    environment: { ...mails.settings, ...environment },
  });
  return { mails, clock, gateway, olga: await person(gateway, 'olga', 'OPERATOR') };
}

test('an e-mail has the text and the link, which is neither stored with the notification nor logged', async () => {
  const { mails, gateway, olga } = await mailing();
  const { id } = await gateway.start('mail.1', { user: USER });

  await olga.act('notifyCustomer', id, { kind: 'LINK' });
  const [mail] = await eventually(async () => mails.accepted.length > 0 && mails.accepted);

  const link = await linkOf(gateway, id);
  expect(mail).toMatchObject({ to: [ADDRESS] });
  expect(mail?.text).toBe(
    `Your verification link is ready. Please open the link and follow the steps.\n\n${link}`,
  );
  expect(mail?.raw).toMatch(/^From: Example Bank <kyc@bank\.example>$/im);
  expect(mail?.raw).toMatch(/^Auto-Submitted: auto-generated$/im);
  const [notification] = await eventually(async () => {
    const all = await listOf(olga, id);
    return all[0].state === 'SENT' && all;
  });
  expect(notification).toMatchObject({
    channel: 'EMAIL',
    outcome: 'SMTP 250',
    settledAt: expect.any(String),
  });
  const logs = gateway.logs.join('');
  expect(logs).not.toContain(link);
  expect(logs).not.toMatch(/Asha|99887|customers\.example|p@ss|p%40ss/);
});

test('an e-mail in Hindi arrives in Devanagari, and one about a meeting has no link', async () => {
  const { mails, gateway, olga } = await mailing({ NOTIFICATIONS: 'MEETING_BOOKED' });
  const { id } = await gateway.start('mail.hindi', { user: USER, languages: ['hi'] });
  await olga.act('scheduleMeeting', id, { startsAt: new Date(Date.now() + HOUR_MS).toISOString() });

  const [mail] = await eventually(async () => mails.accepted.length > 0 && mails.accepted);

  expect(mail?.text).toMatch(
    /^आपकी वीडियो कॉल [\u0900-\u097F]+ \d+ [\u0900-\u097F]+ \d{4}, \d\d:\d\d के लिए तय हो गई है।/,
  );
  expect(mail?.text).not.toMatch(/https?:/);
});

test('an e-mail that is refused for now is sent again with the same id until it is accepted', async () => {
  const { mails, clock, gateway, olga } = await mailing();
  const { id } = await gateway.start('mail.greylisted', { user: USER });
  mails.refuse(451);

  await olga.act('notifyCustomer', id, { kind: 'LINK' });
  await eventually(async () => (await listOf(olga, id))[0].outcome === 'SMTP 451');
  expect(await listOf(olga, id)).toMatchObject([{ state: 'QUEUED', settledAt: null }]);
  mails.refuse(null);
  clock.forward(10_000);
  await eventually(async () => (await listOf(olga, id))[0].state === 'SENT');

  expect(mails.attempts).toBe(2);
  expect(mails.accepted).toHaveLength(1);
  expect(mails.accepted[0]?.messageId).toMatch(/^<[0-9a-f-]{36}@bank\.example>$/);
});

test('an e-mail that is refused for good has FAILED after one attempt, and the log does not name the address', async () => {
  const { mails, gateway, olga } = await mailing();
  const { id } = await gateway.start('mail.unknown', { user: USER });
  mails.refuse(550);

  await olga.act('notifyCustomer', id, { kind: 'LINK' });
  await eventually(async () => (await listOf(olga, id))[0].state === 'FAILED');

  expect(await listOf(olga, id)).toMatchObject([{ outcome: 'SMTP 550' }]);
  expect(mails.attempts).toBe(1);
  expect(gateway.logs.join('')).not.toContain(ADDRESS);
});

test('a customer without an address is notified through the endpoint, and refused if there is none', async () => {
  const alone = await mailing();
  const { id } = await alone.gateway.start('mail.none');
  expect(await alone.olga.act('notifyCustomer', id, { kind: 'LINK' })).toMatchObject({
    __typename: 'ActionNotAllowedError',
    message:
      'The customer has no e-mail address, and no endpoint in WEBHOOK_ENDPOINTS gets customer.notification_requested.',
  });

  const receiver = await startReceiver();
  const both = await mailing(sendTo({ core: receiver }));
  const other = await both.gateway.start('mail.other');
  await both.olga.act('notifyCustomer', other.id, { kind: 'LINK' });
  await eventually(async () => (await listOf(both.olga, other.id))[0].state === 'SENT');

  expect(await listOf(both.olga, other.id)).toMatchObject([{ channel: 'WEBHOOK' }]);
  expect(both.mails.accepted).toEqual([]);
});

test('in the quiet hours a notification waits for their end, unless it is urgent', async () => {
  const { mails, clock, gateway, olga } = await mailing({ NOTIFICATION_QUIET_HOURS: quietHoursNow() });
  const { id } = await gateway.start('mail.night', { user: USER });

  await olga.act('notifyCustomer', id, { kind: 'RETRY' });
  await olga.act('notifyCustomer', id, { kind: 'LINK', urgent: true });
  await eventually(async () => (await listOf(olga, id))[0].state === 'SENT');
  const [, waiting] = await listOf(olga, id);
  expect(waiting).toMatchObject({ kind: 'RETRY', state: 'QUEUED' });
  const hours = (new Date(waiting.dueAt).getTime() - Date.now()) / HOUR_MS;
  expect(hours).toBeGreaterThan(1.9);
  expect(hours).toBeLessThanOrEqual(2);
  clock.forward(2 * HOUR_MS);
  await eventually(async () => mails.accepted.length === 2);

  expect((await listOf(olga, id)).map(({ kind }: any) => kind)).toEqual(['LINK', 'RETRY']);
});

test('a notification that the session has overtaken in the quiet hours is not sent', async () => {
  const { mails, clock, gateway, olga } = await mailing({
    ...{ NOTIFICATIONS: 'LINK,MEETING_BOOKED,MEETING_CANCELLED', NOTIFICATION_QUIET_HOURS: quietHoursNow() },
  });
  const { id } = await gateway.start('mail.outdated', { user: USER });
  await olga.act('scheduleMeeting', id, { startsAt: new Date(Date.now() + 5 * HOUR_MS).toISOString() });
  await olga.act('cancelMeeting', id);
  await eventually(async () => (await listOf(olga, id)).length === 3);

  clock.forward(2 * HOUR_MS);
  await eventually(async () => (await listOf(olga, id)).every(({ state }: any) => state !== 'QUEUED'));

  expect(await listOf(olga, id)).toMatchObject([
    { kind: 'MEETING_CANCELLED', state: 'SENT' },
    { kind: 'MEETING_BOOKED', state: 'FAILED', outcome: 'OUTDATED' },
    { kind: 'LINK', state: 'FAILED', outcome: 'OUTDATED' },
  ]);
  expect(mails.accepted).toHaveLength(1);
});

test('the customer is reminded once of a meeting that begins soon, and again if it is moved', async () => {
  const { mails, clock, gateway, olga } = await mailing({ NOTIFICATION_REMINDER_MINUTES: '30' });
  const { id } = await gateway.start('mail.reminder', { user: USER });
  const startsAt = (hours: number) => new Date(clock.now().getTime() + hours * HOUR_MS).toISOString();
  await olga.act('scheduleMeeting', id, { startsAt: startsAt(2) });

  clock.forward(1.6 * HOUR_MS);
  await eventually(async () => mails.accepted.length === 1);
  // Each of these is sent in a round that has looked for reminders before.
  for (const name of ['round.1', 'round.2']) {
    const other = await gateway.start(name, { user: USER });
    await olga.act('notifyCustomer', other.id, { kind: 'LINK' });
    await eventually(async () => (await listOf(olga, other.id))[0].state === 'SENT');
  }
  expect(await listOf(olga, id)).toMatchObject([{ kind: 'MEETING_REMINDER', state: 'SENT' }]);
  await olga.act('scheduleMeeting', id, { startsAt: startsAt(1) });
  clock.forward(0.6 * HOUR_MS);
  await eventually(async () => mails.accepted.length === 4);

  expect(mails.accepted[0]?.text).toMatch(/^Your video call begins soon, on /);
  const { transitions } = await olga.query(
    'query ($id: ID!) { result: session(id: $id) { transitions(first: 20) { nodes { source actor changes } } } }',
    { id },
  );
  const reminders = transitions.nodes.filter(({ changes }: any) => changes.includes('NOTIFICATIONS'));
  expect(reminders).toEqual([
    { source: 'CLOCK', actor: null, changes: ['NOTIFICATIONS'] },
    { source: 'CLOCK', actor: null, changes: ['NOTIFICATIONS'] },
  ]);
});

test('erasing a person erases the texts, what was not sent is never sent, and the audit still verifies', {
  timeout: 60_000,
}, async () => {
  const { mails, clock, gateway, olga } = await mailing({ NOTIFICATION_QUIET_HOURS: quietHoursNow() });
  const { id } = await gateway.start('mail.erased', { user: { ...USER, userId: 'u-erased' } });
  await olga.act('notifyCustomer', id, { kind: 'LINK', text: 'Asha, please call.' });
  await olga.act('closeSession', id, { outcome: 'FAILED', reason: 'TECHNICAL' });

  await runCommand('erase', ['--user', 'u-erased'], {
    ...{ PATH: process.env.PATH ?? '', DATABASE_URL: gateway.databaseUrl, DATA_KEYS, AUDIT_KEYS },
    LEGAL_RETENTION_DAYS: '0',
  });
  clock.forward(2 * HOUR_MS);

  expect(await listOf(olga, id)).toMatchObject([{ state: 'FAILED', outcome: 'ERASED' }]);
  const { rows } = await gateway.database.query(
    'select text from customer_notification union all select text from annotation where text is not null',
  );
  expect(rows).toEqual([{ text: null }]);
  expect(await olga.act('notifyCustomer', id, { kind: 'DECISION' })).toMatchObject({
    message: "The customer's personal data was erased: the customer cannot be notified.",
  });
  expect(mails.attempts).toBe(0);
  const sessions = await gateway.database.query('select id from vkyc_session');
  expect(await auditOf(gateway.databaseUrl).findingOf(sessions.rows[0].id)).toBeNull();
});

// Invariant 23 of ARCHITECTURE.md
test('two gateways over one database send each e-mail once, although both look for what is due', async () => {
  const { mails, gateway, olga } = await mailing({ NOTIFICATIONS: 'LINK' });
  await bootGateway({
    ...{ database: gateway.databaseUrl, lookIntervalMs: 50 },
    environment: { ...mails.settings, NOTIFICATIONS: 'LINK' },
  });
  const ids: string[] = [];
  for (let number = 1; number <= 15; number += 1)
    ids.push((await gateway.start(`mail.both.${number}`, { user: USER })).id);

  for (const id of ids) await eventually(async () => (await listOf(olga, id))[0]?.state === 'SENT');

  expect(mails.attempts).toBe(15);
  expect(new Set(mails.accepted.map(({ messageId }) => messageId)).size).toBe(15);
});

test('while the mail server hangs, notifications still reach endpoints, and the gateway stops within seconds', async () => {
  const receiver = await startReceiver();
  const { mails, gateway, olga } = await mailing(
    sendTo({ core: receiver }, { events: ['customer.notification_requested'] }),
  );
  mails.hang();
  const mailed = await gateway.start('mail.hangs', { user: USER });
  const other = await gateway.start('mail.webhook');

  await olga.act('notifyCustomer', mailed.id, { kind: 'LINK' });
  await eventually(async () => mails.attempts > 0);
  await olga.act('notifyCustomer', other.id, { kind: 'LINK' });
  await eventually(async () => (await listOf(olga, other.id))[0].state === 'SENT');
  expect(await listOf(olga, mailed.id)).toMatchObject([{ channel: 'EMAIL', state: 'QUEUED', outcome: null }]);

  const began = performance.now();
  await gateway.stop();
  expect(performance.now() - began).toBeLessThan(10_000);
});

test('an e-mail that the mail server refuses because of a wrong password is sent once the password is right', async () => {
  const mails = await startMailServer();
  const mail = { id: 'm1', to: ADDRESS, subject: 'Your link', text: 'Please come.', language: 'en' };
  const mailer = (SMTP_URL: string) =>
    new Mailer({ url: SMTP_URL, from: mails.settings.SMTP_FROM, requiresTls: false });

  expect(await mailer(mails.settings.SMTP_URL.replace('p%40ss', 'wrong')).send(mail)).toEqual({
    ...{ accepted: false, permanent: false, outcome: 'SMTP 535' },
  });
  expect(await mailer(mails.settings.SMTP_URL).send(mail)).toMatchObject({ accepted: true });
});

test('an e-mail is kept back if the connection to a mail server of another machine cannot be encrypted', async () => {
  const { settings, accepted, attempts } = await startMailServer();
  const server = { url: settings.SMTP_URL, from: settings.SMTP_FROM };
  const mail = { id: 'm1', to: ADDRESS, subject: 'Your link', text: 'https://link', language: 'en' };

  const plain = new Mailer({ ...server, requiresTls: true });
  atTheEnd(async () => plain.stop());

  expect(await plain.send(mail)).toEqual({ accepted: false, permanent: false, outcome: 'ETLS' });
  expect([accepted, attempts]).toEqual([[], 0]);
  const required = (SMTP_URL: string, more = {}) =>
    readConfig({ ...settings, SMTP_URL, ...more }).notifications.smtp?.requiresTls;
  expect([
    ...[required('smtp://mail.example.com'), required('smtps://mail.example.com')],
    ...[required('smtp://127.0.0.1:25'), required('smtp://10.0.0.5', { ALLOW_PLAIN_HTTP: '1' })],
  ]).toEqual([true, true, false, false]);
});
