/**
 * The provider's shapes to ours, once and here: past this file there is no snake_case, no `""` for nothing and
 * no number for an id. Where the provider's pages disagree, every variant that they show is accepted.
 */
import { z } from 'zod';
import { ProviderFailure } from '../domain/errors.ts';
import type {
  AadhaarDetails,
  ProviderRequest,
  ProviderSession,
  ProviderUser,
  SdkToken,
} from '../domain/ports.ts';
import { isStorable, isStorableTime } from '../domain/storable.ts';
import { parseJson } from './json.ts';
import { keepStatus, keepText, MAX_ID_LENGTH, MAX_TEXT_LENGTH } from './texts.ts';

/** `""`, null and a missing field all mean nothing. Ids are integers on some pages and strings on others. */
const orNothing = (value: string | number | null | undefined) =>
  value === '' || value == null ? null : String(value);
const storable = (longest: number) =>
  z
    .string()
    .max(longest, `has more than ${longest} characters`)
    .refine(isStorable, 'has a null byte or half a surrogate pair');
const id = z
  .union([storable(MAX_ID_LENGTH), z.int()])
  .nullish()
  .transform(orNothing);
const optionalText = storable(MAX_TEXT_LENGTH).nullish().transform(orNothing);
const optionalStatus = z.string().transform(keepStatus).nullish().transform(orNothing);
/** What people wrote and nothing depends on: kept as far as it can be stored. */
const prose = z.string().transform(keepText).nullish().transform(orNothing);
const optionalTime = optionalText.transform((text, context) => {
  if (text === null) return null;
  const time = parseTime(text);
  if (time) return time;
  context.addIssue({ code: 'custom', message: 'is not a time' });
  return z.NEVER;
});

/** India Standard Time, as the provider writes it in one place. */
const IST = /\s*IST$/;
const LOCAL_TIME = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}:\d{2}(?:\.\d+)?)\s*(Z|[+-]\d{2}:?\d{2})?)?$/;

/** Seen: a date alone, and a date and time with `T` or a space between, with or without zone. No zone means UTC. */
export function parseTime(text: string): Date | null {
  const [, date, time = '00:00:00', zone = 'Z'] = text.trim().replace(IST, '+05:30').match(LOCAL_TIME) ?? [];
  if (!date) return null;
  const parsed = new Date(`${date}T${time}${zone}`);
  // NaN, for a time that does not exist, is out of every range.
  return isStorableTime(parsed) ? parsed : null;
}

/** As the provider's page on initiating has it. */
const verificationId = z.string().regex(/^[A-Za-z0-9._-]{1,50}$/);

const verification = z
  .looseObject({
    verification_id: verificationId,
    // Beside the status nothing is decisive: what is odd counts as nothing, and the status is news all the same.
    reference_id: id.catch(null),
    user_id: id.catch(null),
    status: z.string().min(1).transform(keepStatus),
    // One value under three names: in the API, in a sentence about webhooks, and for prepaid instruments.
    sub_status: optionalStatus,
    subStatus: optionalStatus,
    status_code: optionalStatus,
    vkyc_link: optionalText.catch(null),
    link_expiry: optionalTime.catch(null),
    meeting_schedule: optionalTime.catch(null),
    recording_link: optionalText.catch(null),
    agent_remarks: prose.catch(null),
    auditor_remarks: prose.catch(null),
  })
  .transform(
    (body): ProviderSession => ({
      verificationId: body.verification_id,
      referenceId: body.reference_id,
      userId: body.user_id,
      rawStatus: body.status,
      rawSubStatus: body.sub_status ?? body.subStatus ?? body.status_code ?? '',
      link: body.vkyc_link,
      linkExpiresAt: body.link_expiry,
      meetingAt: body.meeting_schedule,
      recordingLink: body.recording_link,
      agentRemarks: body.agent_remarks,
      auditorRemarks: body.auditor_remarks,
    }),
  );

const user = z
  .looseObject({
    user_id: storable(MAX_ID_LENGTH).min(1),
    phone: optionalText,
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

/** The expiry has one name in the schema and another in the example of the provider's page. */
const sdkToken = z
  .looseObject({ access_token: z.string().min(1), expiry: optionalTime, expires_at: optionalTime })
  .transform((body): SdkToken => ({ token: body.access_token, expiresAt: body.expiry ?? body.expires_at }));

const webhook = z.looseObject({ event_time: z.string(), data: verification }).transform((body, context) => {
  const eventTime = parseTime(body.event_time);
  if (eventTime) return { eventTime, session: body.data };
  context.addIssue({ code: 'custom', path: ['event_time'], message: 'is not a time' });
  return z.NEVER;
});

const addressed = z.looseObject({ data: z.looseObject({ verification_id: verificationId }) });

const failure = z.looseObject({ code: optionalText, type: optionalText.catch(null) });

/** What a webhook says; its event type is only a label and is not read. */
export interface WebhookNews {
  /** By the provider's clock, in whole seconds. */
  readonly eventTime: Date;
  readonly session: ProviderSession;
}

/** Says what of a body could not be understood: field names and reasons, never values. */
export class NotUnderstood extends Error {
  override readonly name = 'NotUnderstood';
}

function read<T>(schema: z.ZodType<T>, text: string): T {
  let body: unknown;
  try {
    body = parseJson(text);
  } catch {
    throw new NotUnderstood('is not JSON');
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new NotUnderstood(
    parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`).join('; '),
  );
}

const answer = <T>(schema: z.ZodType<T>, text: string): T => {
  try {
    return read(schema, text);
  } catch (error) {
    if (!(error instanceof NotUnderstood)) throw error;
    throw new ProviderFailure('UNAVAILABLE', `The provider answered something unexpected (${error.message})`);
  }
};

export const readVerification = (text: string): ProviderSession => answer(verification, text);
export const readSdkToken = (text: string): SdkToken => answer(sdkToken, text);
export const readUser = (text: string): ProviderUser => answer(user, text);

/** Throws `NotUnderstood`. */
export const readWebhook = (text: string): WebhookNews => read(webhook, text);

/** Whose webhook it is; null where that cannot be read. */
export function readWebhookAddress(text: string): string | null {
  try {
    return read(addressed, text).data.verification_id;
  } catch {
    return null;
  }
}

/** What of the provider's `{type, code, message}` says something; nulls where the body is a proxy's page. */
export function readFailure(text: string): { code: string | null; type: string | null } {
  try {
    return read(failure, text);
  } catch {
    return { code: null, type: null };
  }
}

/** The body of `POST /user`. */
export const writeUser = (person: ProviderUser) => ({
  user_id: person.userId,
  phone: person.phone ?? undefined,
  name: person.name ?? undefined,
  email: person.email ?? undefined,
  address: person.address ?? undefined,
});

/** The body of `PATCH /user`: what is given changes, all else stays. */
export const writeUserChange = ({ userId, name, email, address }: Omit<ProviderUser, 'phone'>) => ({
  user_id: userId,
  name: name ?? undefined,
  email: email ?? undefined,
  address: address ?? undefined,
});

/** The body of `POST /oauth/token`. */
export const writeTokenRequest = (appId: string, referenceId: string, userId: string) => ({
  app_id: appId,
  product: 'VKYC',
  metadata: { vkyc_request_id: referenceId },
  authenticated_user: { identifier_type: 'userId', identifier_value: userId },
});

/** The body of `POST /vkyc`. */
export const writeRequest = (request: ProviderRequest) => ({
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
