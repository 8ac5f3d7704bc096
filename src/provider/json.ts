import { isSafeNumber, parse } from 'lossless-json';

/** Parses JSON; integers that a double cannot hold (the provider's ids may be 64 bits) come as strings. */
export const parseJson = (text: string): unknown =>
  parse(text, null, { parseNumber: (digits) => (isSafeNumber(digits) ? Number(digits) : digits) });
