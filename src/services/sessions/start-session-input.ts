import { z } from 'zod';
import { MAX_LANGUAGES } from '../../domain/languages.ts';
import type { Clock } from '../../domain/ports.ts';
import { findTemplateProblem, type TemplateCatalogue, type TemplateList } from '../../domain/templates.ts';
import { MAX_TEXT_CHARACTERS } from '../../domain/text.ts';
import {
  type AadhaarAgeRule,
  createAadhaarVerificationTimeSchema,
  createDateOfBirthSchema,
  createPastTimeSchema,
  emailSchema,
  pinCodeSchema,
  webLinkSchema,
} from './input-values.ts';
import { startMetadataSchema, tagListSchema } from './label-values.ts';
import { createLanguageListSchema } from './language-list.ts';
import { createRequiredTextSchema, createTextSchema, toOptionalSchema } from './validation.ts';

const ID_RULE = /^[A-Za-z0-9._-]{1,50}$/;
const ID_MESSAGE = 'must be 1 to 50 characters of A-Z a-z 0-9 . _ -';
const DIGITS = /^\d{10}$/;

const MAX_SHORT_TEXT = 200;
const shortText = createTextSchema(MAX_SHORT_TEXT);
const address = z.object({
  country: createRequiredTextSchema(200),
  dist: shortText,
  house: shortText,
  pincode: pinCodeSchema,
  state: shortText,
  street: shortText,
  po: toOptionalSchema(shortText),
  subdist: toOptionalSchema(shortText),
  vtc: toOptionalSchema(shortText),
});

export const NOTIFICATION_TYPES_FIELD_PATH = ['notificationTypes'];
/**
 * Error message if EMAIL notifications are wanted but no email address is given. SMS and WhatsApp need only the
 * phone, which every user has.
 */
export const NO_EMAIL_ADDRESS_MESSAGE = 'must not contain EMAIL without an address: pass user.email too';

/**
 * Rules whose outcome changes with time or with the settings, so that an input which was accepted may break them
 * later. They hold for a start that is sent to the provider for the first time, not for its repetitions.
 */
export interface NewStartRules {
  readonly templates: TemplateCatalogue;
  readonly aadhaar: AadhaarAgeRule;
}

/**
 * Schema of the input of `startSession`. With `rules`, the schema of a new start; without `rules`, the schema of any
 * start, which may repeat an old one. The rules follow the provider's documentation on creating users and starting
 * verifications. The order of the fields must not change: the parsed input is hashed in this order, and a repeated
 * call is recognized by the hash.
 */
export const createStartSessionInputSchema = (clock: Clock, rules: NewStartRules | null) =>
  z
    .object({
      verificationId: z.string().regex(ID_RULE, ID_MESSAGE),
      user: z
        .object({
          userId: toOptionalSchema(z.string().regex(ID_RULE, ID_MESSAGE)),
          phone: toOptionalSchema(z.string().regex(DIGITS, 'must be 10 digits, without country code')),
          name: toOptionalSchema(shortText),
          email: toOptionalSchema(emailSchema),
          address: toOptionalSchema(createTextSchema(MAX_TEXT_CHARACTERS.address)),
        })
        .refine((user) => user.phone !== undefined || user.userId !== undefined, {
          message: 'must have a phone, or the userId of a person whom the provider knows',
        }),
      userTemplate: toOptionalSchema(rules ? templateName(rules.templates.user) : shortText),
      agentTemplate: toOptionalSchema(rules ? templateName(rules.templates.agent) : shortText),
      notificationTypes: toOptionalSchema(
        z.array(z.enum(['SMS', 'WHATSAPP', 'EMAIL'])).max(3, 'must have at most 3 entries'),
      ),
      aadhaarDetails: toOptionalSchema(
        z.object({
          name: createRequiredTextSchema(200),
          dob: createDateOfBirthSchema(clock),
          gender: z.enum(['M', 'F', 'O'], 'must be M, F or O'),
          careOf: shortText,
          photoLink: webLinkSchema,
          lastVerifiedAt: rules
            ? createAadhaarVerificationTimeSchema(clock, rules.aadhaar)
            : createPastTimeSchema(clock),
          address,
        }),
      ),
      /** Session id (UUID), not the global id. */
      replacesSessionId: toOptionalSchema(z.uuid('must be the id of a VkycSession')),
      securityQuestions: toOptionalSchema(
        z
          .array(z.object({ order: z.int(), question: createRequiredTextSchema(200), answer: shortText }))
          .max(20, 'must have at most 20 entries')
          .superRefine(
            (list, context) => {
              for (const [index, { order }] of list.entries()) {
                if (order === index + 1) continue;
                const message = `must be ${index + 1}: number the questions 1, 2, 3 … in their order`;
                context.addIssue({ code: 'custom', path: [index, 'order'], message });
              }
            },
            // Run this check even if a question or an answer is invalid, so that all problems are reported together.
            { when: ({ value }) => Array.isArray(value) },
          ),
      ),
      metadata: toOptionalSchema(startMetadataSchema).transform(unlessEmpty),
      tags: toOptionalSchema(tagListSchema).transform(unlessEmpty),
      languages: toOptionalSchema(createLanguageListSchema(MAX_LANGUAGES.customer)).transform(unlessEmpty),
    })
    .refine(
      // If a userId is given, the provider may already have the user's email address, so none is required here.
      ({ user, notificationTypes }) =>
        !wantsEmailNotification(notificationTypes) || user?.userId != null || user?.email != null,
      // Runs this check even if other fields are invalid; otherwise zod would skip it and the caller would not
      // see all problems at once.
      { path: NOTIFICATION_TYPES_FIELD_PATH, message: NO_EMAIL_ADDRESS_MESSAGE, when: () => true },
    );

/** An empty list is the same input as none, and so has the same hash. */
const unlessEmpty = <Item>(list: Item[] | undefined): Item[] | undefined => (list?.length ? list : undefined);

const templateName = (list: TemplateList) =>
  createTextSchema(MAX_SHORT_TEXT, (name) => findTemplateProblem(name, list));

export const wantsEmailNotification = (notificationTypes: readonly string[] | null | undefined): boolean =>
  notificationTypes?.includes('EMAIL') ?? false;

export type StartSessionInput = z.infer<ReturnType<typeof createStartSessionInputSchema>>;
