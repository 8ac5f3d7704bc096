import { z } from 'zod';
import { optional, storableText } from './validation.ts';

const ID_RULE = /^[A-Za-z0-9._-]{1,50}$/;
const ID_MESSAGE = 'must be 1 to 50 of the characters A-Z a-z 0-9 . _ -';
const DIGITS = /^\d{10}$/;

const shortText = storableText(200);
const address = z.object({
  country: shortText.min(1, 'must not be empty'),
  dist: shortText,
  house: shortText,
  pincode: z.string().regex(/^\d{6}$/, 'must be 6 digits'),
  state: shortText,
  street: shortText,
  po: optional(shortText),
  subdist: optional(shortText),
  vtc: optional(shortText),
});

/** What starts a session, checked. The rules are those of the provider's pages on users and on initiating. */
export const startSessionInput = z.object({
  verificationId: z.string().regex(ID_RULE, ID_MESSAGE),
  user: z
    .object({
      userId: optional(z.string().regex(ID_RULE, ID_MESSAGE)),
      phone: optional(z.string().regex(DIGITS, 'must be 10 digits, without country code')),
      name: optional(shortText),
      email: optional(z.email('must be an email address').max(200, 'must have at most 200 characters')),
      address: optional(storableText(500)),
    })
    .refine((user) => user.phone ?? user.userId, {
      message: 'must have a phone, or the userId of somebody whom the provider knows',
    }),
  userTemplate: optional(shortText),
  agentTemplate: optional(shortText),
  notificationTypes: optional(
    z.array(z.enum(['SMS', 'WHATSAPP', 'EMAIL'])).max(3, 'must have at most 3 entries'),
  ),
  aadhaarDetails: optional(
    z.object({
      name: shortText.min(1, 'must not be empty'),
      dob: z.string().regex(/^\d{2}-\d{2}-\d{4}$/, 'must be of the form DD-MM-YYYY'),
      gender: z.enum(['M', 'F', 'O'], 'must be M, F or O'),
      careOf: shortText,
      photoLink: z.url('must be a URL'),
      lastVerifiedAt: z.date(),
      address,
    }),
  ),
  /** The session's own id, not the global one. */
  replacesSessionId: optional(z.uuid('must be the id of a VkycSession')),
  securityQuestions: optional(
    z
      .array(z.object({ order: z.int(), question: shortText.min(1, 'must not be empty'), answer: shortText }))
      .max(20, 'must have at most 20 entries')
      .refine(
        (list) => list.every((entry, index) => entry.order === index + 1),
        'must be in order: 1, 2, 3 …',
      ),
  ),
});

export type StartSessionInput = z.infer<typeof startSessionInput>;
