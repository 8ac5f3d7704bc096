import { texts } from '../language/texts.ts';

const NUMBER = new Intl.NumberFormat(texts.locale);

/** Formats a number with Indian digit groups: "1,20,000". */
export const formatNumber = (value: number): string => NUMBER.format(value);

/** Formats a number of sessions with its noun: "1 session", "1,20,000 sessions". */
export const formatSessionCount = (count: number): string => texts.floor.count(count, formatNumber(count));
