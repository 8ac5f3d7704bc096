import type { Language } from '../texts.ts';
import { calendar } from './calendar.ts';
import { frame } from './frame.ts';
import { list } from './list.ts';
import { time } from './time.ts';
import { work } from './work.ts';

/** Texts of the console in English, by the folder that shows them. */
export const english = {
  language: 'en' as Language,
  /** Locale of numbers and times: Indian digit groups, day before month. */
  locale: 'en-IN',
  calendar,
  frame,
  list,
  time,
  work,
};
