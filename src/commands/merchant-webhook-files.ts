/** Files of `schema/webhooks/`: the form of merchant webhooks, and an example for each type. */
import type { DeliveryWithEventFacts } from '../db/outgoing/deliveries.ts';
import { ALL_EVENT_TYPES, type EventType } from '../domain/merchant-events.ts';
import { formatNotificationText } from '../domain/notifications.ts';
import { buildEventBodyJsonSchema, buildMerchantEvent } from '../services/outgoing/event-body.ts';

type Facts = Pick<
  DeliveryWithEventFacts,
  'fromStatus' | 'fromSubStatus' | 'status' | 'subStatus' | 'verdict'
>;

const toPreCall = (subStatus: DeliveryWithEventFacts['subStatus']): Facts => ({
  ...{ fromStatus: 'PRE_VIDEO_CALL', fromSubStatus: 'USER_MEETING_SCHEDULED' },
  ...{ status: 'PRE_VIDEO_CALL', subStatus, verdict: 'MOVED' },
});
const afterApproval = (verdict: DeliveryWithEventFacts['verdict']): Facts => ({
  ...{ fromStatus: 'AUDITOR_REVIEWED', fromSubStatus: 'AUDITOR_APPROVED' },
  ...{ status: 'AUDITOR_REVIEWED', subStatus: 'AUDITOR_REJECTED', verdict },
});

const FACTS: Record<EventType, Facts> = {
  'session.transitioned': toPreCall('USER_ACCEPTED_MEETING'),
  'session.disputed': afterApproval('DISPUTED'),
  'session.dispute_resolved': afterApproval('RESOLVED'),
  'meeting.scheduled': {
    ...{ fromStatus: 'PRE_VIDEO_CALL', fromSubStatus: 'NO_AGENT_FOUND' },
    ...{ status: 'PRE_VIDEO_CALL', subStatus: 'USER_MEETING_SCHEDULED', verdict: 'MOVED' },
  },
  'meeting.cancelled': toPreCall('USER_MEETING_CANCELLED'),
  'meeting.accepted': toPreCall('USER_ACCEPTED_MEETING'),
  'meeting.rejected': toPreCall('USER_REJECTED_MEETING'),
  'meeting.missed': toPreCall('USER_MISSED_MEETING'),
  'review.recorded': {
    ...{ fromStatus: 'VIDEO_CALL', fromSubStatus: 'AGENT_ENDED_CALL' },
    ...{ status: 'AGENT_REVIEWED', subStatus: 'AGENT_REJECTED', verdict: 'MOVED' },
  },
  'customer.notification_requested': {
    ...{ fromStatus: 'PRE_VIDEO_CALL', fromSubStatus: 'NO_AGENT_FOUND' },
    ...{ status: 'PRE_VIDEO_CALL', subStatus: 'USER_MEETING_SCHEDULED', verdict: 'MOVED' },
  },
};

const NO_TEXT_FACTS = {
  ...{ subStatus: 'USER_MEETING_SCHEDULED' as const, circumstance: null, customerMessage: null },
};
const RECORDED_AT = new Date('2026-11-30T09:30:00.000Z');

function exampleOf(type: EventType): string {
  const { body } = buildMerchantEvent(
    {
      ...{ id: 1n, endpoint: 'example', position: 1, type, sequence: 7, state: 'PENDING', attempts: 1 },
      ...{ queuedAt: RECORDED_AT, triedSince: RECORDED_AT, dueAt: RECORDED_AT, settledAt: null },
      ...{ claimed: true, outcome: null, sessionId: '01939b5e-7c00-7000-8000-000000000001' },
      ...{ verificationId: 'loan-42', source: 'WEBHOOK', occurredAt: '2026-11-30T09:29:58.000Z' },
      recordedAt: RECORDED_AT.toISOString(),
      review: {
        ...{ id: '01939b5e-7c00-7000-8000-000000000002', stage: 'AGENT', decision: 'REJECTED' },
        ...{ reasons: ['FACE_MISMATCH'], callComplete: null },
      },
      meeting: { id: '01939b5e-7c00-7000-8000-000000000003', startsAt: '2026-11-30T09:30:00.000Z' },
      notification: {
        ...{ id: '01939b5e-7c00-7000-8000-000000000004', kind: 'MEETING_BOOKED', locale: 'EN' },
        ...{ dueAt: RECORDED_AT.toISOString(), text: null, link: null, isErased: false },
        ...{ userId: '01939b5e-7c00-7000-8000-000000000005', personal: '' },
      },
      ...FACTS[type],
    },
    {
      text: formatNotificationText(
        'MEETING_BOOKED',
        'EN',
        { ...NO_TEXT_FACTS, meetingAt: RECORDED_AT },
        'Asia/Kolkata',
      ),
      customer: {
        ...{ name: 'Asha Rao', phone: '9988776655', email: 'asha@example.com' },
        link: 'https://vkyc.example.com/abc',
      },
    },
  );
  return asFile(JSON.parse(body));
}

const asFile = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Returns the files that `npm run schema` writes to `schema/webhooks/`, by name. */
export const buildMerchantWebhookFiles = (): Readonly<Record<string, string>> => ({
  'event.schema.json': asFile(buildEventBodyJsonSchema()),
  ...Object.fromEntries(ALL_EVENT_TYPES.map((type) => [`examples/${type}.json`, exampleOf(type)])),
});
