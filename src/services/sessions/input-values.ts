/**
 * Input schemas for email addresses, links, PIN codes and dates. The schemas refuse impossible values by their
 * form, without asking another system.
 */
import { domainToASCII } from 'node:url';
import { z } from 'zod';
import type { Clock } from '../../domain/ports.ts';
import { isStorableText, UNSTORABLE_TEXT_MESSAGE } from '../../domain/storable.ts';
import { formatDayNumber, subtractWorkingDays, toIndianDayNumber } from '../../domain/working-days.ts';

const MAX_EMAIL_CHARACTERS = 200;
/** Longest email address that SMTP allows (RFC 5321). */
const MAX_EMAIL_BYTES = 254;
const MAX_LOCAL_PART_BYTES = 64;
const MAX_LINK_CHARACTERS = 2_048;
const MAX_AGE_YEARS = 130;
/**
 * A time up to this far ahead of our clock still counts as past, because the client's clock may run ahead
 * (clock skew).
 */
const MAX_CLOCK_SKEW_MS = 5 * 60_000;

/**
 * Local part of an email address (before the @) with letters of any script, including the joiners (U+200C, U+200D)
 * that Indian scripts need.
 */
const LOCAL_PART =
  /^[\p{L}\p{M}\p{N}\u200c-\u200d!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{M}\p{N}\u200c-\u200d!#$%&'*+/=?^_`{|}~-]+)*$/u;
const DOMAIN = /^[\p{L}\p{M}\p{N}\u200c-\u200d-]+(?:\.[\p{L}\p{M}\p{N}\u200c-\u200d-]+)+$/u;
/** Domain name as DNS allows it. The top-level domain must not be a number, which excludes IP addresses. */
const ASCII_DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/i;

/**
 * Email address by RFC 5321 and 6531, in the common form (no quotes, no IP address). A domain in another script
 * is rewritten to its equivalent ASCII form (`xn--…`), because many systems accept only ASCII domains.
 */
export const emailSchema = z
  .string()
  .max(MAX_EMAIL_CHARACTERS, `must have at most ${MAX_EMAIL_CHARACTERS} characters`)
  .refine(isStorableText, UNSTORABLE_TEXT_MESSAGE)
  .transform((value, context) => {
    const address = toAsciiDomain(value);
    if (address !== null) return address;
    context.addIssue({ code: 'custom', message: 'must be an email address' });
    return z.NEVER;
  });

function toAsciiDomain(value: string): string | null {
  const at = value.lastIndexOf('@');
  const [local, domain] = [value.slice(0, at), value.slice(at + 1)];
  if (at < 1 || !LOCAL_PART.test(local) || Buffer.byteLength(local) > MAX_LOCAL_PART_BYTES) return null;
  // The domain is checked before its conversion to ASCII, which silently drops characters that no domain contains.
  if (!DOMAIN.test(domain)) return null;
  const ascii = isAscii(domain) ? domain : domainToASCII(domain);
  const address = `${local}@${ascii}`;
  return ASCII_DOMAIN.test(ascii) && Buffer.byteLength(address) <= MAX_EMAIL_BYTES ? address : null;
}

const isAscii = (value: string): boolean => Buffer.byteLength(value) === value.length;

/**
 * Schema of a link that the provider can fetch. http is allowed, because a merchant's private network may be
 * connected to the provider's.
 */
export const webLinkSchema = z
  .string()
  .max(MAX_LINK_CHARACTERS, { error: `must have at most ${MAX_LINK_CHARACTERS} characters`, abort: true })
  .refine(isStorableText, { error: UNSTORABLE_TEXT_MESSAGE, abort: true })
  .refine(isWebLink, 'must be a URL that begins with https:// or http:// and has no user name or password');

function isWebLink(value: string): boolean {
  // Refuses whitespace, control characters and backslashes: `URL` drops or rewrites them, and other parsers may read
  // such a link differently.
  if (!/^https?:\/\/[^\s\\\p{Cc}\p{Cf}]+$/iu.test(value) || !URL.canParse(value)) return false;
  const { username, password } = new URL(value);
  return username === '' && password === '';
}

/** Schema of an Indian postal code (PIN code): six digits, the first of which names one of nine zones. */
export const pinCodeSchema = z
  .string()
  .regex(/^[1-9]\d{5}$/, 'must be 6 digits, the first of which is not 0');

/**
 * Schema of a date of birth as DD-MM-YYYY: a day that exists, not after today in India, and at most 130 years ago.
 */
export const createDateOfBirthSchema = (clock: Clock) =>
  z.string().superRefine((value, context) => {
    const message = findDateProblem(value, clock.now());
    if (message) context.addIssue({ code: 'custom', message });
  });

function findDateProblem(value: string, now: Date): string | null {
  const [, day, month, year] = value.match(/^(\d{2})-(\d{2})-(\d{4})$/) ?? [];
  if (!day) return 'must have the form DD-MM-YYYY';
  const iso = `${year}-${month}-${day}`;
  const date = new Date(`${iso}T00:00:00Z`);
  // `Date` turns 31-02 into 3 March, so the parsed date is compared with the text. 99-99 becomes an invalid date.
  const exists = !Number.isNaN(date.getTime()) && date.toISOString().startsWith(iso);
  if (!exists) return 'must be an existing day, as DD-MM-YYYY';
  const today = formatDayNumber(toIndianDayNumber(now));
  if (iso > today) return 'must not be in the future';
  const oldest = Number(today.slice(0, 4)) - MAX_AGE_YEARS;
  return Number(year) < oldest ? `must not be more than ${MAX_AGE_YEARS} years ago` : null;
}

/** Schema of the time of a past event, with a tolerance for clock skew. */
export const createPastTimeSchema = (clock: Clock) =>
  z
    .date()
    .refine(
      (time) => time.getTime() <= clock.now().getTime() + MAX_CLOCK_SKEW_MS,
      'must not be in the future',
    );

/** Rule for the age of Aadhaar details. */
export interface AadhaarAgeRule {
  /** Working days in India. */
  readonly maxAgeDays: number;
  /** Days, as YYYY-MM-DD in India, that are no working days, besides Saturdays and Sundays. */
  readonly holidays: ReadonlySet<string>;
}

/** Schema of the time at which Aadhaar details were verified: in the past, and within the allowed working days. */
export const createAadhaarVerificationTimeSchema = (clock: Clock, { maxAgeDays, holidays }: AadhaarAgeRule) =>
  createPastTimeSchema(clock).superRefine((time, context) => {
    const earliest = subtractWorkingDays(maxAgeDays, clock.now(), holidays);
    if (toIndianDayNumber(time) >= earliest) return;
    const days = `${maxAgeDays} working day${maxAgeDays === 1 ? '' : 's'}`;
    context.addIssue({
      code: 'custom',
      message: `must not be more than ${days} ago (AADHAAR_MAX_AGE_DAYS): the earliest day allowed today is ${formatDayNumber(earliest)} in India. Verify the details again, or leave aadhaarDetails out`,
    });
  });
