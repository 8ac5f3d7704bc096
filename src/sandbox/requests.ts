/** Schemas of the request bodies of the provider's API. Unknown fields are ignored. */
import { z } from 'zod';
import { createApiFieldError } from './errors.ts';

const ID = /^[A-Za-z0-9._-]+$/;
const MAX_ID_LENGTH = 50;
const PHONE = /^\d{10}$/;

const text = z.string();
/** Reference id, as text. The provider's documentation mostly has an integer, its SDK a string. */
const referenceId = z.union([z.string(), z.int()]).transform(String);

export const createUserRequestSchema = z.looseObject({
  phone: text.regex(PHONE, 'must have 10 digits.'),
  user_id: text.nullish(),
  email: text.nullish(),
  name: text.nullish(),
  address: text.nullish(),
});

export const updateUserRequestSchema = z.looseObject({
  user_id: text.nullish(),
  user_reference_id: referenceId.nullish(),
  phone: text.nullish(),
  email: text.nullish(),
  name: text.nullish(),
  address: text.nullish(),
});

const address = z.looseObject({
  country: text,
  dist: text,
  house: text,
  pincode: z.union([z.int(), text]),
  state: text,
  street: text,
});

const aadhaarDetails = z
  .looseObject({
    name: text,
    dob: text,
    gender: z.enum(['M', 'F', 'O']),
    care_of: text,
    photo_link: text,
    last_verified_at: text,
    // Both names stand for the same field: the provider's newer documentation has the first, the older
    // documentation the second.
    split_address: address.optional(),
    address_details: address.optional(),
  })
  .refine((details) => details.split_address ?? details.address_details, {
    path: ['split_address'],
    message: 'or address_details is needed.',
  });

const question = z.looseObject({ order: z.int(), question: text, answer: text });

export const startVerificationRequestSchema = z.looseObject({
  verification_id: text.min(1),
  user_id: text.nullish(),
  user_reference_id: referenceId.nullish(),
  user_template: text.nullish(),
  agent_template: text.nullish(),
  notification_types: z
    .array(text.regex(/^(sms|whatsapp|email)$/i, 'must be sms, whatsapp or email.'))
    .nullish(),
  aadhaar_details: aadhaarDetails.nullish(),
  // Accepts a list, as in the provider's documentation, and a single object, as in its SDK.
  security_questions: z.union([z.array(question), question.transform((single) => [single])]).nullish(),
});

export const sdkTokenRequestSchema = z.looseObject({
  app_id: text.min(1),
  product: z.literal('VKYC'),
  metadata: z.looseObject({ vkyc_request_id: referenceId }),
  authenticated_user: z.looseObject({ identifier_type: text.min(1), identifier_value: referenceId }),
});

/**
 * Parses a request body.
 * @throws ApiError like the provider's error for the first invalid field
 */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body ?? {});
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0] as z.core.$ZodIssue;
  const field = path.join('.') || 'body';
  if (isMissing(body, path))
    throw createApiFieldError(field, 'missing', `${field} is missing in the request.`);
  throw createApiFieldError(field, 'value_invalid', `${field} ${message}`);
}

function isMissing(body: unknown, path: readonly PropertyKey[]): boolean {
  const value = path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)?.[key], body);
  return path.length > 0 && (value === undefined || value === '');
}

/**
 * Checks an id that the merchant chose, by the rules that the provider documents.
 * @throws ApiError like the provider's error for an invalid id
 */
export function checkIdFormat(field: 'user_id' | 'verification_id', value: string): void {
  if (!ID.test(value))
    throw createApiFieldError(
      field,
      'value_invalid',
      `${field} can include only alphanum, dot, hyphen and underscores.`,
    );
  if (value.length > MAX_ID_LENGTH)
    throw createApiFieldError(
      field,
      'length_exceeded',
      `${field} can include a maximum of ${MAX_ID_LENGTH} characters.`,
    );
}
