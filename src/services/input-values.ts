/** Values that are texts of a certain form: addresses, links and dates, as far as the form tells what cannot be. */
import { domainToASCII } from 'node:url';
import { z } from 'zod';
import type { Clock } from '../domain/ports.ts';
import { isStorable, UNSTORABLE } from '../domain/storable.ts';

const MAX_EMAIL_CHARACTERS = 200;
/** Of an address in SMTP, RFC 5321. */
const MAX_EMAIL_BYTES = 254;
const MAX_LOCAL_PART_BYTES = 64;
const MAX_LINK_CHARACTERS = 2_048;
const MAX_AGE_YEARS = 130;
const IST_OFFSET_MS = 5.5 * 3_600_000;
/** How far the clock of whoever dates something may be ahead of ours. */
const MAX_CLOCK_SKEW_MS = 5 * 60_000;

/** Letters of any script are allowed, with the joiners (U+200C, U+200D) that Indian ones need. */
const LOCAL_PART =
  /^[\p{L}\p{M}\p{N}\u200c-\u200d!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{M}\p{N}\u200c-\u200d!#$%&'*+/=?^_`{|}~-]+)*$/u;
const DOMAIN = /^[\p{L}\p{M}\p{N}\u200c-\u200d-]+(?:\.[\p{L}\p{M}\p{N}\u200c-\u200d-]+)+$/u;
/** As DNS has it; a top-level domain is never a number, as the last part of an IP address is. */
const ASCII_DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/i;

/**
 * An address as RFC 5321 and 6531 have it, in the common form (no quotes, no IP address). A domain in another script is
 * rewritten to its ASCII form (`xn--…`), which names the same domain and which systems accept that know no other.
 */
export const email = z
  .string()
  .max(MAX_EMAIL_CHARACTERS, `must have at most ${MAX_EMAIL_CHARACTERS} characters`)
  .refine(isStorable, UNSTORABLE)
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
  // Checked before it is rewritten, which drops characters that are not part of any domain.
  if (!DOMAIN.test(domain)) return null;
  const ascii = isAscii(domain) ? domain : domainToASCII(domain);
  const address = `${local}@${ascii}`;
  return ASCII_DOMAIN.test(ascii) && Buffer.byteLength(address) <= MAX_EMAIL_BYTES ? address : null;
}

const isAscii = (value: string): boolean => Buffer.byteLength(value) === value.length;

/** A link that the provider can fetch. With http it may be in a network of the merchant's that is joined to theirs. */
export const webLink = z
  .string()
  .max(MAX_LINK_CHARACTERS, `must have at most ${MAX_LINK_CHARACTERS} characters`)
  .refine(isStorable, UNSTORABLE)
  .refine(isWebLink, 'must be a URL that begins with https:// or http://, without user name and password');

function isWebLink(value: string): boolean {
  // URL drops white space and controls, and takes a backslash for a slash: others may read such a link otherwise.
  if (!/^https?:\/\/[^\s\\\p{Cc}\p{Cf}]+$/iu.test(value) || !URL.canParse(value)) return false;
  const { username, password } = new URL(value);
  return username === '' && password === '';
}

/** A PIN code of India Post: its first digit names one of nine zones. */
export const pinCode = z.string().regex(/^[1-9]\d{5}$/, 'must be 6 digits, of which the first is not 0');

/** A date of birth, DD-MM-YYYY: a day that exists, not after today in India, and not longer ago than anybody lives. */
export const dateOfBirth = (clock: Clock) =>
  z.string().superRefine((value, context) => {
    const message = findDateProblem(value, clock.now());
    if (message) context.addIssue({ code: 'custom', message });
  });

function findDateProblem(value: string, now: Date): string | null {
  const [, day, month, year] = value.match(/^(\d{2})-(\d{2})-(\d{4})$/) ?? [];
  if (!day) return 'must be of the form DD-MM-YYYY';
  const iso = `${year}-${month}-${day}`;
  const date = new Date(`${iso}T00:00:00Z`);
  // 31-02 becomes 3 March, and 99-99 no time at all.
  const exists = !Number.isNaN(date.getTime()) && date.toISOString().startsWith(iso);
  if (!exists) return 'must be a day that exists, as DD-MM-YYYY';
  const today = new Date(now.getTime() + IST_OFFSET_MS).toISOString().slice(0, 10);
  if (iso > today) return 'must not be in the future';
  const oldest = Number(today.slice(0, 4)) - MAX_AGE_YEARS;
  return Number(year) < oldest ? `must not be more than ${MAX_AGE_YEARS} years ago` : null;
}

/** A moment at which something has been done. */
export const pastTime = (clock: Clock) =>
  z
    .date()
    .refine(
      (time) => time.getTime() <= clock.now().getTime() + MAX_CLOCK_SKEW_MS,
      'must not be in the future',
    );
