import { readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { merchantEventBodySchema } from '../../src/services/outgoing/event-body.ts';
import { movableClock } from '../harness/clock.ts';
import { bootGateway, eventually, STEPS_TO_THE_END_OF_THE_CALL } from '../harness/gateway.ts';
import { inMinutes, person } from '../harness/people.ts';
import { OLD_SECRET, SECRET, sendTo, sequencesOf, startReceiver, verify } from '../harness/receiver.ts';

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe('merchant webhooks', () => {
  test('a backend hears of every transition of a session in order, each signed as Standard Webhooks says', async () => {
    const receiver = await startReceiver();
    const gateway = await bootGateway({ environment: sendTo({ core: receiver }) });
    await gateway.start('heard.happy-path');

    await gateway.advance('heard.happy-path', 13);
    await eventually(async () => sequencesOf(receiver, 'heard.happy-path').length === 14);

    expect(sequencesOf(receiver, 'heard.happy-path')).toEqual(upTo(14));
    for (const delivery of receiver.received) {
      expect(verify(delivery)).toEqual(delivery.body);
      expect(() => verify(delivery, OLD_SECRET)).toThrow();
      const age = Date.now() / 1_000 - Number(delivery.headers['webhook-timestamp']);
      expect(Math.abs(age)).toBeLessThan(60);
    }
  });

  test('while secrets rotate, a delivery verifies with the new and with the old secret', async () => {
    const receiver = await startReceiver();
    const environment = sendTo({ core: receiver }, { secrets: [SECRET, OLD_SECRET] });
    const gateway = await bootGateway({ environment });
    await gateway.start('rotating.1');

    const [delivery] = await eventually(async () => receiver.accepted.length > 0 && receiver.accepted);

    expect(verify(delivery!, SECRET)).toEqual(delivery!.body);
    expect(verify(delivery!, OLD_SECRET)).toEqual(delivery!.body);
  });

  test('an endpoint gets only the types of events that it names', async () => {
    const [meetings, reviews] = [await startReceiver(), await startReceiver()];
    const endpoint = (name: string, { url }: { url: string }, events: string[]) => ({
      ...{ name, url, secrets: [SECRET], events },
    });
    const gateway = await bootGateway({
      environment: {
        WEBHOOK_ALLOWED_HOSTS: '127.0.0.1',
        WEBHOOK_ENDPOINTS: JSON.stringify([
          endpoint('calendar', meetings, ['meeting.scheduled', 'meeting.cancelled']),
          endpoint('core', reviews, ['review.recorded', 'session.disputed']),
        ]),
      },
    });
    const { id } = await gateway.start('types.awaits-review');
    const operator = await person(gateway, 'olga', 'OPERATOR');
    await operator.act('scheduleMeeting', id, { startsAt: inMinutes(60) });
    await operator.act('cancelMeeting', id, {});
    await gateway.advance('types.awaits-review', STEPS_TO_THE_END_OF_THE_CALL);
    const agent = await person(gateway, 'ravi', 'AGENT');
    await eventually(async () => (await agent.look(id)).availableActions.includes('RECORD_AGENT_REVIEW'));
    expect(
      await agent.act('recordAgentReview', id, { decision: 'REJECTED', reasons: ['FACE_MISMATCH'] }),
    ).toMatchObject({ __typename: 'RecordReviewSuccess' });
    await gateway.webhook({
      event_time: inMinutes(1),
      data: {
        verification_id: 'types.awaits-review',
        status: 'AUDITOR_REVIEWED',
        sub_status: 'AUDITOR_APPROVED',
      },
    });

    await eventually(async () => reviews.accepted.some(({ body }) => body.type === 'session.disputed'));
    await eventually(async () => meetings.accepted.length >= 2);

    const types = meetings.accepted.map(({ body }) => body.type);
    expect(types.slice(0, 2)).toEqual(['meeting.scheduled', 'meeting.cancelled']);
    const [booked, cancelled] = meetings.accepted.map(({ body }) => body.data.meeting);
    expect(booked).toMatchObject({ startsAt: expect.stringMatching(/Z$/) });
    expect(cancelled).toEqual(booked);
    expect(new Set(reviews.accepted.map(({ body }) => body.type))).toEqual(
      new Set(['review.recorded', 'session.disputed']),
    );
    expect(reviews.accepted.find(({ body }) => body.type === 'review.recorded')?.body.data).toMatchObject({
      subStatus: 'AGENT_REJECTED',
      review: { stage: 'AGENT', decision: 'REJECTED', reasons: ['FACE_MISMATCH'] },
    });
  });

  test('every body has the published form, at most 2 kB, and nothing of the customer or of staff', async () => {
    const receiver = await startReceiver();
    const gateway = await bootGateway({ environment: sendTo({ core: receiver }) });
    const { id } = await gateway.start('form.awaits-review');
    const agent = await person(gateway, 'ravi@bank.example', 'AGENT');
    await agent.act('scheduleMeeting', id, { startsAt: inMinutes(60) });
    await agent.act('addNote', id, { note: 'Asha called from 9988776655.' });
    await gateway.advance('form.awaits-review', STEPS_TO_THE_END_OF_THE_CALL);
    await eventually(async () => (await agent.look(id)).availableActions.includes('RECORD_AGENT_REVIEW'));
    await agent.act('recordAgentReview', id, {
      ...{ decision: 'REJECTED', reasons: ['FACE_MISMATCH'], remarks: 'Asha has another face.' },
    });
    await eventually(async () => receiver.accepted.some(({ body }) => body.type === 'review.recorded'));

    const ajv = new Ajv2020({ formats: { 'date-time': /^[\d-]{10}T[\d:.]{12}Z$/ } });
    const isValid = ajv.compile(JSON.parse(await readFile('schema/webhooks/event.schema.json', 'utf8')));
    for (const { text, body } of receiver.received) {
      expect(isValid(body), JSON.stringify(isValid.errors)).toBe(true);
      // The code's own schema is strict: a field that the published form does not name is refused.
      expect(merchantEventBodySchema.parse(body)).toEqual(body);
      expect(text.length).toBeLessThan(2_048);
      expect(text).not.toMatch(/Asha|Rao|99887|ravi|face\./);
    }
  });

  test('an endpoint that is added later hears only of what is recorded from then on', async () => {
    const [first, second] = [await startReceiver(), await startReceiver()];
    const gateway = await bootGateway({ environment: sendTo({ core: first }) });
    await gateway.start('later.1');
    await eventually(async () => sequencesOf(first, 'later.1').length === 1);

    const both = await bootGateway({
      database: gateway.databaseUrl,
      environment: sendTo({ core: first, crm: second }),
    });
    await both.start('later.2');
    await eventually(async () => sequencesOf(second, 'later.2').length === 1);

    expect(sequencesOf(second, 'later.1')).toEqual([]);
    await eventually(async () => sequencesOf(first, 'later.2').length === 1);
  });

  test('without WEBHOOK_ENDPOINTS nothing is stored', async () => {
    const gateway = await bootGateway();
    await gateway.start('silent.happy-path');
    await gateway.advance('silent.happy-path', 3);

    const { rows } = await gateway.database.query(
      'select (select count(*)::int from merchant_endpoint) + (select count(*)::int from merchant_delivery) as count',
    );
    expect(rows).toEqual([{ count: 0 }]);
  });
});

describe('an endpoint that fails', () => {
  test('a refused event is sent again with the same id and body, and holds back only its own session', async () => {
    const receiver = await startReceiver();
    const clock = movableClock();
    const gateway = await bootGateway({
      ...{ environment: sendTo({ core: receiver }), clock, lookIntervalMs: 20 },
    });
    receiver.answer(({ body }) => (body.data.session.verificationId === 'held.happy-path' ? 500 : 200));
    await gateway.start('held.happy-path');
    await gateway.advance('held.happy-path', 2);
    await gateway.start('free.happy-path');
    await gateway.advance('free.happy-path', 2);

    await eventually(async () => sequencesOf(receiver, 'free.happy-path').length === 3);
    const refused = receiver.received.filter(
      ({ body }) => body.data.session.verificationId === 'held.happy-path',
    );
    expect(new Set(refused.map(({ body }) => body.data.sequence))).toEqual(new Set([1]));
    receiver.answer(() => 200);
    clock.forward(60_000);
    await eventually(async () => sequencesOf(receiver, 'held.happy-path').length === 3);

    expect(sequencesOf(receiver, 'held.happy-path')).toEqual([1, 2, 3]);
    const attempts = receiver.received.filter(({ id }) => id === refused[0]?.id);
    expect(attempts.length).toBeGreaterThan(1);
    expect(new Set(attempts.map(({ text }) => text)).size).toBe(1);
  });
});
