/**
 * Parses the times that the provider sends. Each time is either parsed exactly or refused with the reason.
 */
import { isStorableTime } from '../domain/storable.ts';

/** A time, or the problem with its text, such as "is not an existing day". */
export type TimeParseResult = { readonly time: Date } | { readonly problem: string };

/**
 * Accepted forms of a time: RFC 3339 in upper or lower case, and the other forms in the provider's
 * documentation. The other forms are a date alone, a space between date and time, a time without seconds or
 * zone, an offset without colon or minutes, and IST (India Standard Time) as the zone.
 */
const WRITTEN =
  /^(\d{4})-(\d{2})-(\d{2})(?:(?:T|\s+)(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?\s*(Z|IST|[+-]\d{2}(?::?\d{2})?)?)?$/i;
/**
 * Longest text that is parsed as a time: twice the longest documented form, which has nine fractional digits.
 */
const MAX_TIME_LENGTH = 64;
const EPOCH = /^-?\d+(\.\d+)?$/;
const EPOCH_SECONDS = /^\d{10}$/;
const EPOCH_MILLISECONDS = /^\d{13}$/;

const IST_MINUTES = 330;

/** Parses a time. A time without a zone counts as UTC; digits beyond milliseconds are cut off. */
export function parseProviderTime(text: string): TimeParseResult {
  if (text.length > MAX_TIME_LENGTH) return { problem: `has more than ${MAX_TIME_LENGTH} characters` };
  const trimmed = text.trim();
  if (EPOCH.test(trimmed)) return readEpoch(trimmed);
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] =
    trimmed.match(WRITTEN) ?? [];
  if (!year) return { problem: 'is not a time in a known format' };
  if (Number(day) < 1 || Number(day) > countDays(Number(year), Number(month)))
    return { problem: 'is not an existing day' };
  // Refuses leap seconds, because JavaScript and PostgreSQL cannot represent them.
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59)
    return { problem: 'is not a time of day between 00:00:00 and 23:59:59' };
  const offset = parseOffset(zone.toUpperCase());
  if (offset === null) return { problem: 'has an offset from UTC of a day or more' };

  const time = new Date(0);
  // Sets the year by `setUTCFullYear`, because Date.UTC would change the years 0 to 99 to 1900 to 1999.
  time.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  time.setUTCHours(
    Number(hour),
    Number(minute) - offset,
    Number(second),
    Number(fraction.slice(0, 3).padEnd(3, '0')),
  );
  return storable(time);
}

/** Returns when a signed link in the style of AWS expires (`X-Amz-Date`, `X-Amz-Expires`); null for other links. */
export function findSignedLinkExpiry(link: string): Date | null {
  const query = URL.canParse(link) ? new URL(link).searchParams : new URLSearchParams();
  const [, year, month, day, time] = query.get('X-Amz-Date')?.match(/^(\d{4})(\d{2})(\d{2})T(\d{6})Z$/) ?? [];
  const seconds = Number(query.get('X-Amz-Expires') ?? Number.NaN);
  if (!time || !Number.isFinite(seconds)) return null;
  const signedAt = Date.parse(`${year}-${month}-${day}T${time.replace(/(..)(..)(..)/, '$1:$2:$3')}Z`);
  return new Date(signedAt + seconds * 1000);
}

/**
 * Parses seconds or milliseconds since 1970. The number of digits tells which: between 2001 and 2286, seconds
 * have 10 digits and milliseconds 13.
 */
function readEpoch(digits: string): TimeParseResult {
  if (EPOCH_SECONDS.test(digits)) return storable(new Date(Number(digits) * 1_000));
  if (EPOCH_MILLISECONDS.test(digits)) return storable(new Date(Number(digits)));
  return {
    problem: 'is a number that is neither seconds (10 digits) nor milliseconds (13 digits) since 1970',
  };
}

const storable = (time: Date): TimeParseResult =>
  isStorableTime(time) ? { time } : { problem: 'is a time outside the years 1 to 9999' };

/** Returns the number of days of a month; 0 if the month does not exist. */
const countDays = (year: number, month: number): number => {
  if (month < 1 || month > 12) return 0;
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
};

/** Returns by how many minutes a zone is ahead of UTC; null if the offset is a day or more. */
function parseOffset(zone: string): number | null {
  if (zone === 'Z') return 0;
  if (zone === 'IST') return IST_MINUTES;
  const [, sign, hours, minutes = '0'] = zone.match(/^([+-])(\d{2}):?(\d{2})?$/) as RegExpMatchArray;
  if (Number(hours) > 23 || Number(minutes) > 59) return null;
  return (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1);
}
