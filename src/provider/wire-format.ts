/**
 * Maps the provider's wire format to the types of the gateway. Only this file deals with snake_case, `""` for
 * a missing value, and numbers as ids. If the provider's documentation contradicts itself, every documented
 * variant is accepted.
 */

import { isInteger } from 'lossless-json';
import { z } from 'zod';
import { ProviderFailure } from '../domain/errors.ts';
import type {
  AadhaarDetails,
  ProviderSession,
  ProviderUser,
  SdkToken,
  StartVerificationRequest,
  UnparsableWebhook,
  WebhookPayload,
} from '../domain/ports.ts';
import { isStorableText } from '../domain/storable.ts';
import { isLosslessJsonNumber, parseLosslessJson, UnusableJsonError } from './json.ts';
import { MAX_ID_LENGTH, MAX_TEXT_LENGTH, toStorableStatus, toStorableText } from './texts.ts';
import { findSignedLinkExpiry, parseProviderTime } from './times.ts';

/**
 * Returns the value; null for `""`, null and a missing field, because the provider uses all three for a
 * missing value.
 */
const orNothing = (value: string | null | undefined) => (value === '' || value == null ? null : value);
const storable = (longest: number, otherwise = 'must be text') =>
  z
    .string(otherwise)
    .max(longest, `has more than ${longest} characters`)
    .refine(isStorableText, 'contains a null byte or a lone surrogate');
/**
 * Lets a schema for texts accept an integer as the text of its digits, because ids are numbers in some parts
 * of the provider's documentation and strings in others.
 */
const orDigits = <T>(schema: z.ZodType<T>) =>
  z.preprocess(
    (given) => (isLosslessJsonNumber(given) && isInteger(given.value) ? given.value : given),
    schema,
  );
const id = orDigits(storable(MAX_ID_LENGTH, 'must be text or a whole number').nullish()).transform(orNothing);
const optionalText = storable(MAX_TEXT_LENGTH).nullish().transform(orNothing);
const optionalStatus = z.string('must be text').transform(toStorableStatus).nullish().transform(orNothing);
/**
 * Free text on which no decision depends. Instead of being refused, such a text is repaired and cut until it
 * can be stored.
 */
const prose = z.string().transform(toStorableText).nullish().transform(orNothing);
const time = z
  .preprocess((given) => (isLosslessJsonNumber(given) ? given.value : given), z.string('must be a time'))
  .transform((text, context) => {
    const reading = parseProviderTime(text);
    if ('time' in reading) return reading.time;
    context.addIssue({ code: 'custom', message: reading.problem });
    return z.NEVER;
  });
const optionalTime = z
  .preprocess((given) => (given === '' ? null : given), time.nullish())
  .transform((given) => given ?? null);

/** Result of parsing a field that counts as missing if it cannot be parsed: the value, or null and the problem. */
type Lenient<T> = { readonly value: T } | { readonly value: null; readonly problem: string };
const lenient = <T>(schema: z.ZodType<T>) =>
  z
    .unknown()
    .optional()
    .transform((given): Lenient<T> => {
      const parsed = schema.safeParse(given);
      if (parsed.success) return { value: parsed.data };
      return { value: null, problem: parsed.error.issues[0]?.message ?? 'cannot be parsed' };
    });

/** Verification id, with the limits that the provider documents for starting a verification. */
const verificationId = orDigits(
  z
    .string('must be text or a whole number')
    .regex(/^[A-Za-z0-9._-]{1,50}$/, 'must be 1 to 50 characters of A-Z a-z 0-9 . _ -'),
);

/**
 * Fields other than the status. A field that cannot be parsed counts as missing, so that the status is
 * applied nevertheless.
 */
const BESIDE_THE_STATUS = {
  reference_id: lenient(id),
  user_id: lenient(id),
  vkyc_link: lenient(optionalText),
  link_expiry: lenient(optionalTime),
  meeting_schedule: lenient(optionalTime),
  recording_link: lenient(optionalText),
  agent_remarks: lenient(prose),
  auditor_remarks: lenient(prose),
};

const verification = z
  .looseObject({
    verification_id: verificationId,
    status: z.string('must be text').min(1, 'must not be empty').transform(toStorableStatus),
    // The sub-status has three names in the provider's documentation: in the API, in a sentence about
    // webhooks, and for prepaid instruments.
    sub_status: optionalStatus,
    subStatus: optionalStatus,
    status_code: optionalStatus,
    ...BESIDE_THE_STATUS,
  })
  .transform((body): ProviderSession => {
    const ignored = Object.keys(BESIDE_THE_STATUS).flatMap((field) => {
      const read = body[field as keyof typeof BESIDE_THE_STATUS];
      return 'problem' in read ? [{ field, problem: read.problem }] : [];
    });
    return {
      verificationId: body.verification_id,
      referenceId: body.reference_id.value,
      userId: body.user_id.value,
      rawStatus: body.status,
      rawSubStatus: body.sub_status ?? body.subStatus ?? body.status_code ?? '',
      link: body.vkyc_link.value,
      linkExpiresAt: body.link_expiry.value,
      meetingAt: body.meeting_schedule.value,
      recordingLink: body.recording_link.value,
      recordingLinkExpiresAt:
        body.recording_link.value === null ? null : findSignedLinkExpiry(body.recording_link.value),
      agentRemarks: body.agent_remarks.value,
      auditorRemarks: body.auditor_remarks.value,
      ...(ignored.length > 0 ? { ignored } : {}),
    };
  });

const user = z
  .looseObject({
    user_id: orDigits(storable(MAX_ID_LENGTH, 'must be text or a whole number').min(1, 'must not be empty')),
    phone: id,
    name: prose,
    email: prose,
    address: prose,
  })
  .transform(
    (body): ProviderUser => ({
      userId: body.user_id,
      phone: body.phone,
      name: body.name,
      email: body.email,
      address: body.address,
    }),
  );

/**
 * Response with an SDK token. The provider's documentation names the expiry `expiry` in one place and
 * `expires_at` in another, so both names are accepted.
 */
const sdkToken = z
  .looseObject({
    access_token: z.string().min(1).max(MAX_TEXT_LENGTH),
    expiry: optionalTime,
    expires_at: optionalTime,
  })
  .transform((body): SdkToken => ({ token: body.access_token, expiresAt: body.expiry ?? body.expires_at }));

/** Fields of a webhook whose values say nothing about a person (`ProviderWebhooks.impersonalFields`). */
export const IMPERSONAL_WEBHOOK_FIELDS = [
  'event_type',
  'event_time',
  'version',
  'verification_id',
  'reference_id',
  'status',
  'sub_status',
  'link_expiry',
  'meeting_schedule',
];

const webhook = z
  .looseObject({ event_time: time, data: verification })
  .transform(({ event_time, data }): WebhookPayload => ({ eventTime: event_time, session: data }));

const addressed = z.looseObject({ data: z.looseObject({ verification_id: verificationId }) });

const failure = z.looseObject({ code: optionalText, type: optionalText.catch(null) });

/**
 * Error for a body that could not be parsed. The message contains field names and reasons, but never values,
 * which may be personal data.
 */
class UnparsableBody extends Error {
  override readonly name = 'UnparsableBody';
}

function read<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new UnparsableBody(
    parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`).join('; '),
  );
}

/** @throws UnparsableBody */
function readText<T>(schema: z.ZodType<T>, text: string): T {
  let body: unknown;
  try {
    body = parseLosslessJson(text);
  } catch (error) {
    if (!(error instanceof UnusableJsonError)) throw error;
    throw new UnparsableBody(`it ${error.message}`);
  }
  return read(schema, body);
}

const answer = <T>(schema: z.ZodType<T>, text: string): T => {
  try {
    return readText(schema, text);
  } catch (error) {
    if (!(error instanceof UnparsableBody)) throw error;
    throw new ProviderFailure('UNAVAILABLE', `The provider's answer could not be parsed (${error.message})`);
  }
};

export const parseVerification = (text: string): ProviderSession => answer(verification, text);
export const parseSdkToken = (text: string): SdkToken => answer(sdkToken, text);
export const parseUser = (text: string): ProviderUser => answer(user, text);

/**
 * Parses the body of a webhook. The event type is not read, because the status says everything that is
 * needed.
 */
export function parseWebhook(text: string): WebhookPayload | UnparsableWebhook {
  try {
    return readText(webhook, text);
  } catch (error) {
    if (!(error instanceof UnparsableBody)) throw error;
    const verificationId = readVerificationId(text);
    const problem =
      verificationId === null && namesNoVerification(text)
        ? "The webhook names no verification id, like a test call from the provider's dashboard."
        : `The body could not be parsed: ${error.message}.`;
    return { verificationId, problem };
  }
}

/**
 * Returns the verification id of a webhook, even if the webhook is otherwise invalid. Null if the webhook has
 * no id, or names several verifications by a repeated key.
 */
function readVerificationId(text: string): string | null {
  try {
    return read(addressed, parseLosslessJson(text, { onRepeatedKey: takeUnlessAddress })).data
      .verification_id;
  } catch (error) {
    if (error instanceof UnparsableBody || error instanceof UnusableJsonError) return null;
    throw error;
  }
}

/**
 * Returns whether a webhook is JSON without a verification id. Test calls from the provider's dashboard have
 * this form.
 */
function namesNoVerification(text: string): boolean {
  try {
    const { data } = read(z.looseObject({ data: z.unknown() }), parseLosslessJson(text));
    return (data as { verification_id?: unknown } | null | undefined)?.verification_id == null;
  } catch (error) {
    if (error instanceof UnparsableBody) return true;
    if (error instanceof UnusableJsonError) return false;
    throw error;
  }
}

/**
 * Returns the last value of a repeated key, as most parsers do.
 * @throws UnusableJsonError if the values name different verifications
 */
function takeUnlessAddress(key: string, first: unknown, last: unknown): unknown {
  const named = (data: unknown) => String((data as { verification_id?: unknown } | null)?.verification_id);
  if (key === 'verification_id' || (key === 'data' && named(first) !== named(last)))
    throw new UnusableJsonError('names several verifications');
  return last;
}

/**
 * Reads code and type of the provider's error body. Both are null if the body is not the provider's, for
 * example a proxy's error page.
 */
export function parseErrorBody(text: string): { code: string | null; type: string | null } {
  try {
    return readText(failure, text);
  } catch {
    return { code: null, type: null };
  }
}

/** Returns the body of `POST /user`. */
export const buildCreateUserBody = (person: ProviderUser) => ({
  user_id: person.userId,
  phone: person.phone ?? undefined,
  name: person.name ?? undefined,
  email: person.email ?? undefined,
  address: person.address ?? undefined,
});

/** Returns the body of `PATCH /user`. Only the fields in the body change at the provider. */
export const buildUpdateUserBody = ({ userId, name, email, address }: Omit<ProviderUser, 'phone'>) => ({
  user_id: userId,
  name: name ?? undefined,
  email: email ?? undefined,
  address: address ?? undefined,
});

/** Returns the body of `POST /oauth/token`. */
export const buildSdkTokenBody = (appId: string, referenceId: string, userId: string) => ({
  app_id: appId,
  product: 'VKYC',
  metadata: { vkyc_request_id: referenceId },
  authenticated_user: { identifier_type: 'userId', identifier_value: userId },
});

/** Returns the body of `POST /vkyc`. */
export const buildStartVerificationBody = (request: StartVerificationRequest) => ({
  verification_id: request.verificationId,
  user_id: request.userId,
  user_template: request.userTemplate,
  agent_template: request.agentTemplate,
  notification_types: request.notificationTypes?.map((type) => type.toLowerCase()),
  aadhaar_details: request.aadhaarDetails && writeAadhaar(request.aadhaarDetails),
  security_questions: request.securityQuestions,
});

const writeAadhaar = (details: AadhaarDetails) => ({
  name: details.name,
  dob: details.dob,
  gender: details.gender,
  care_of: details.careOf,
  photo_link: details.photoLink,
  last_verified_at: details.lastVerifiedAt.toISOString(),
  split_address: { ...details.address, pincode: Number(details.address.pincode) },
});
