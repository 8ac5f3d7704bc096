import { v5 as uuidv5, v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import type { DeliveryWithEventFacts } from '../../db/outgoing/deliveries.ts';
import { REVIEW_DECISIONS, REVIEW_STAGES } from '../../domain/actions.ts';
import { findSessionChanges, SESSION_CHANGES } from '../../domain/changes.ts';
import { toGlobalId } from '../../domain/global-id.ts';
import { LOCALES } from '../../domain/locales.ts';
import {
  ALL_EVENT_TYPES,
  isMeetingEventType,
  NOTIFICATION_EVENT_TYPE,
  type OutgoingMerchantEvent,
} from '../../domain/merchant-events.ts';
import { NOTIFICATION_KINDS } from '../../domain/notifications.ts';
import { REVIEW_REASONS, toKnownReasons } from '../../domain/review-reasons.ts';
import { isAppliedVerdict, TRANSITION_SOURCES } from '../../domain/session.ts';
import { ALL_PAIRS } from '../../domain/status.ts';

/** Version of the form of bodies. It grows only if a change would break receivers. */
const BODY_VERSION = 1;

const keysOf = <Key extends string>(record: Readonly<Record<Key, unknown>>) =>
  Object.keys(record) as [Key, ...Key[]];
const id = z.string().max(100);
const time = z.iso.datetime();
const pair = {
  status: z.enum([...new Set(ALL_PAIRS.map(({ status }) => status))]),
  subStatus: z.enum([...new Set(ALL_PAIRS.map(({ subStatus }) => subStatus))]),
};
const describe = <Schema extends z.ZodType>(schema: Schema, description: string): Schema =>
  schema.describe(description);

const review = z.strictObject({
  id: describe(id, 'Global id of the review.'),
  stage: z.enum(keysOf(REVIEW_STAGES)),
  decision: z.enum(keysOf(REVIEW_DECISIONS)),
  reasons: describe(
    z.array(z.enum(keysOf(REVIEW_REASONS))),
    'Coded reasons. Treat values that you do not know as OTHER.',
  ),
  callComplete: describe(
    z.boolean().nullable(),
    "The reviewer's statement that the call was complete; null if none was made.",
  ),
});
const meeting = z.strictObject({
  id: describe(id, 'Global id of the meeting.'),
  startsAt: describe(time, 'Start of the meeting.'),
});

const notification = z.strictObject({
  id: describe(
    id,
    'Global id of the notification, the same in each attempt and replay: notify once for each.',
  ),
  kind: describe(
    z.enum(keysOf(NOTIFICATION_KINDS)),
    'What to tell the customer. Kinds may be added: send the text of those that you do not know.',
  ),
  locale: describe(z.enum(keysOf(LOCALES)), 'Language of the text.'),
  text: describe(
    z.string().nullable(),
    "Text for the customer, without the link; null if the customer's data was erased meanwhile. Staff may have written it.",
  ),
  dueAt: describe(time, 'Time from which on the customer may be notified.'),
});
const customer = z.strictObject({
  name: z.string().nullable(),
  phone: describe(z.string().nullable(), '10 digits, without country code.'),
  email: z.string().nullable(),
  link: describe(z.string().nullable(), 'Link of the session; null if none is known.'),
});

/** Form of the bodies of merchant webhooks, from which `npm run schema` writes the JSON Schema. */
export const merchantEventBodySchema = z
  .strictObject({
    type: describe(
      z.enum(ALL_EVENT_TYPES),
      'Type of the event. Types may be added: answer 2xx to those that you do not know.',
    ),
    version: describe(z.literal(BODY_VERSION), 'Version of this form.'),
    timestamp: describe(time, 'Time at which the gateway recorded the transition.'),
    data: z.strictObject({
      session: z.strictObject({
        id: describe(id, 'Global id of the session, as `Query.session` takes it.'),
        verificationId: describe(z.string().max(200), 'Your id of the verification.'),
      }),
      sequence: describe(
        z.int().min(1),
        'Number of the transition within its session: 1, 2, 3 … without gaps. Ignore an event of the same type whose number you have seen.',
      ),
      from: describe(
        z.strictObject(pair).nullable(),
        "Status before the transition; null for a session's first.",
      ),
      ...pair,
      applied: describe(
        z.boolean(),
        "True if the transition changed the session's status; otherwise it is only kept as history.",
      ),
      changes: describe(
        z.array(z.enum(keysOf(SESSION_CHANGES))),
        'Parts of the session that the transition may have changed: query them again if you keep them.',
      ),
      source: describe(z.enum(keysOf(TRANSITION_SOURCES)), 'How the gateway learned of the transition.'),
      occurredAt: describe(
        time.nullable(),
        "Time of the event by the provider's clock; null if no webhook reported it.",
      ),
      review: describe(review.optional(), 'Only in `review.recorded`. Remarks are not sent.'),
      meeting: describe(meeting.nullable().optional(), 'Only in `meeting.*`; null if no meeting is known.'),
      notification: describe(notification.optional(), 'Only in `customer.notification_requested`.'),
      customer: describe(
        customer.optional(),
        'Only in `customer.notification_requested`, to endpoints with `"personalData": true`. Left out after the data was erased.',
      ),
    }),
  })
  .describe(
    'Body of a merchant webhook. It has no personal data, except `customer`: query the session for what its reader may see.',
  );

export type EventBody = z.infer<typeof merchantEventBodySchema>;

/** Returns the JSON Schema of the bodies. It allows more properties, because later releases may add some. */
export const buildEventBodyJsonSchema = (): object => ({
  ...z.toJSONSchema(merchantEventBodySchema, {
    override({ jsonSchema }) {
      delete jsonSchema.additionalProperties;
      // The pattern only repeats the format.
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
    },
  }),
  title: 'Merchant webhook of vkyc-gateway',
});

/** Namespace of the ids of events (UUID version 5). It must never change. */
const EVENT_NAMESPACE = 'b3c0e6a2-8d0f-4d37-9c55-5a0f1f9b7e11';

/**
 * Returns the header `webhook-id` of a delivery. It follows from the transition and the type, so that attempts, replays
 * and a delivery that is created again after a failover have the same id; a transition that replaces a lost one has
 * another.
 */
export const getMerchantEventId = ({
  sessionId,
  sequence,
  type,
  recordedAt,
}: DeliveryWithEventFacts): string =>
  `msg_${uuidv5(`${sessionId}:${sequence}:${new Date(recordedAt).getTime()}:${type}`, EVENT_NAMESPACE)}`;

const iso = (text: string): string => new Date(text).toISOString();

/** Notification of an event, decrypted. */
export interface OpenedNotification {
  readonly text: string | null;
  /** Personal data; null if the endpoint does not get it, or it was erased. */
  readonly customer: z.infer<typeof customer> | null;
}

/**
 * Builds the event of a delivery. Its body is the same at each attempt, unless the customer's data is changed or erased in
 * between. `opened`: the decrypted notification of `customer.notification_requested`; null for other types.
 */
export function buildMerchantEvent(
  delivery: DeliveryWithEventFacts,
  opened: OpenedNotification | null = null,
): OutgoingMerchantEvent {
  const { type, sessionId, verificationId, sequence, status, subStatus, verdict, source } = delivery;
  const { fromStatus, fromSubStatus, occurredAt, recordedAt, review, meeting } = delivery;
  const body: EventBody = {
    type,
    version: BODY_VERSION,
    timestamp: iso(recordedAt),
    data: {
      session: { id: toGlobalId('VkycSession', sessionId), verificationId },
      sequence,
      from: fromStatus && fromSubStatus ? { status: fromStatus, subStatus: fromSubStatus } : null,
      ...{ status, subStatus },
      applied: isAppliedVerdict(verdict),
      changes: findSessionChanges({ verdict, subStatus }),
      source,
      occurredAt: occurredAt && iso(occurredAt),
      ...(type === 'review.recorded' && review
        ? {
            review: {
              ...review,
              id: toGlobalId('Review', review.id),
              reasons: [...toKnownReasons(review.reasons)],
            },
          }
        : {}),
      ...(isMeetingEventType(type)
        ? {
            meeting: meeting && {
              id: toGlobalId('Meeting', meeting.id),
              startsAt: iso(meeting.startsAt),
            },
          }
        : {}),
      ...(type === NOTIFICATION_EVENT_TYPE && delivery.notification
        ? {
            notification: {
              id: toGlobalId('CustomerNotification', delivery.notification.id),
              kind: delivery.notification.kind,
              locale: delivery.notification.locale,
              text: opened?.text ?? null,
              dueAt: iso(delivery.notification.dueAt),
            },
            ...(opened?.customer ? { customer: opened.customer } : {}),
          }
        : {}),
    },
  };
  return { id: getMerchantEventId(delivery), type, body: JSON.stringify(body) };
}

/** Builds the event that `npm run webhooks -- ping` sends, which tells of no session. */
export const buildPingEvent = (now: Date): OutgoingMerchantEvent => ({
  id: `msg_${uuidv7()}`,
  type: 'endpoint.ping',
  body: JSON.stringify({
    type: 'endpoint.ping',
    version: BODY_VERSION,
    timestamp: now.toISOString(),
    data: {},
  }),
});
